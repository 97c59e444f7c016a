import FlowRuns
import Manifests

/// A formatter for times in the time zone of a series.
struct ZonedTimes {
    private let name: String
    private let clock: LocalClock

    /// Creates a formatter; returns `nil` if the machine does not support the time zone.
    ///
    /// - Parameter name: An IANA name, such as `Europe/Berlin`.
    init?(_ name: String) {
        guard let clock = LocalClock(name) else { return nil }
        self.name = name
        self.clock = clock
    }

    /// Formats a range, such as `2024-01-02 00:00 +01:00 … 2025-01-01 00:00 +01:00 Europe/Berlin`.
    func text(_ windows: FoldedWindows, _ ellipsis: String) -> String {
        "\(text(windows.start)) \(ellipsis) \(text(windows.end)) \(name)"
    }

    /// Formats a time with its offset, which distinguishes the two equal hours at the end of daylight saving time.
    private func text(_ moment: Timestamp) -> String {
        let offset = clock.offset(at: moment).components.seconds
        let shown = UTCTime(moment + .seconds(offset))
        let time = shown.secondOfDay % 60 == 0 ? String(shown.time.dropLast(3)) : shown.time
        let minutes = UTCTime(Timestamp(seconds: Int64(offset.magnitude))).time.dropLast(3)
        return "\(shown.date) \(time) \(offset < 0 ? "-" : "+")\(minutes)"
    }
}
