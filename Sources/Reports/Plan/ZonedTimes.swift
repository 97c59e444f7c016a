import FlowRuns
import Foundation

/// A formatter for times in the time zone of a series.
struct ZonedTimes {
    private let zone: TimeZone

    /// Creates a formatter; returns `nil` if the machine does not support the time zone.
    ///
    /// - Parameter name: An IANA name, such as `Europe/Berlin`.
    init?(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    /// Formats a range, such as `2024-01-02 00:00 +01:00 … 2025-01-01 00:00 +01:00 Europe/Berlin`.
    func text(_ windows: FoldedWindows, _ ellipsis: String) -> String {
        "\(text(windows.start)) \(ellipsis) \(text(windows.end)) \(zone.identifier)"
    }

    /// Formats a time with its offset, which distinguishes the two equal hours at the end of daylight saving time.
    private func text(_ moment: Timestamp) -> String {
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment.seconds)))
        let shown = UTCTime(moment + .seconds(offset))
        let time = shown.secondOfDay % 60 == 0 ? String(shown.time.dropLast(3)) : shown.time
        let minutes = UTCTime(Timestamp(seconds: Int64(offset.magnitude))).time.dropLast(3)
        return "\(shown.date) \(time) \(offset < 0 ? "-" : "+")\(minutes)"
    }
}
