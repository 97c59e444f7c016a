import FlowRuns
import Manifests

/// Times by the clocks of a series' time zone.
struct ZonedTimes {
    private let name: String
    private let clock: LocalClock

    /// - Parameter name: an IANA name; `nil` for one that this machine does not know.
    init?(_ name: String) {
        guard let clock = LocalClock(name) else { return nil }
        self.name = name
        self.clock = clock
    }

    /// `2024-01-02 00:00 +01:00 … 2025-01-01 00:00 +01:00 Europe/Berlin`
    func text(_ windows: FoldedWindows, _ ellipsis: String) -> String {
        "\(text(windows.start)) \(ellipsis) \(text(windows.end)) \(name)"
    }

    /// The offset tells the two hours apart that bear one name when the clocks go back.
    private func text(_ moment: Timestamp) -> String {
        let offset = clock.offset(at: moment).components.seconds
        let shown = UTCTime(moment + .seconds(offset))
        let time = shown.secondOfDay % 60 == 0 ? String(shown.time.dropLast(3)) : shown.time
        let minutes = UTCTime(Timestamp(seconds: Int64(offset.magnitude))).time.dropLast(3)
        return "\(shown.date) \(time) \(offset < 0 ? "-" : "+")\(minutes)"
    }
}
