import FlowRuns
import Manifests

/// Windows in the compact form of a manifest: adjacent windows of equal length become series, all others stay separate.
///
/// Lengths are compared by the clock or by calendar months.
struct FoldedTime {
    struct Run {
        let every: Series.Step
        let from: Timestamp
        fileprivate(set) var until: Timestamp
        fileprivate(set) var windows: [Window]
    }

    private(set) var series: [Run] = []
    private(set) var windows: [Window] = []
    /// The time zone of the series; their times are civil times in it. `nil` for UTC.
    private(set) var timeZone: String?

    /// The minimum number of windows in a series; a shorter one is no simpler than separate windows.
    private static let minWindowsPerSeries = 3

    /// Folds windows into series.
    ///
    /// - Parameter sorted: The distinct windows in ascending order.
    init(_ sorted: [Window]) {
        var open: [End: Run] = [:]
        func close(_ run: Run) {
            if run.windows.count < Self.minWindowsPerSeries { windows += run.windows } else { series.append(run) }
        }
        var runs: [Run] = []
        for window in sorted {
            let every = Series.Step(window)
            var run =
                open.removeValue(forKey: End(time: window.start, every: every))
                ?? Run(every: every, from: window.start, until: window.end, windows: [])
            run.until = window.end
            run.windows.append(window)
            // If two series reach the same end, the earlier one is finished and the later one continues.
            if let other = open.updateValue(run, forKey: End(time: window.end, every: every)) { runs.append(other) }
        }
        for run in runs + open.values { close(run) }
        series.sort { ($0.from, $0.until) < ($1.from, $1.until) }
        windows.sort()
    }

    /// Folds windows in UTC or in a time zone: the first one in which days and months have fewer interruptions than in UTC.
    ///
    /// - Parameters:
    ///   - sorted: The distinct windows in ascending order.
    ///   - likelyZones: Zones to try first. Days that begin at midnight in one of them are days of that zone, even without
    ///     a change of its clock as evidence.
    init(_ sorted: [Window], likelyZones: [String]) {
        self.init(sorted)
        let isUTC = sorted.allSatisfy { UTCTime($0.start).secondOfDay == 0 }
        for zone in likelyZones + Self.commonZones {
            guard let local = FoldedTime(sorted, in: zone) else { continue }
            let isSimpler = local.series.count + local.windows.count < series.count + windows.count
            if isSimpler || !isUTC && likelyZones.contains(zone) && !local.series.isEmpty {
                self = local
                return
            }
        }
    }

    /// One zone for each set of rules with daylight-saving time that many people live by.
    private static let commonZones = [
        "Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York", "America/Chicago", "America/Denver",
        "America/Los_Angeles", "America/Halifax", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
    ]

    /// Folds windows of whole days in a time zone; `nil` if any does not begin and end at midnight there.
    private init?(_ sorted: [Window], in zone: String) {
        guard let clock = LocalClock(zone) else { return nil }
        let civil = sorted.map { Window(start: clock.civil(at: $0.start), end: clock.civil(at: $0.end)) }
        guard civil.allSatisfy({ $0.map { Self.isMidnight($0.start) && Self.isMidnight($0.end) } ?? false }) else {
            return nil
        }
        let originals = Dictionary(zip(civil.compactMap(\.self), sorted)) { first, _ in first }
        self.init(originals.keys.sorted())
        timeZone = zone
        windows = windows.compactMap { originals[$0] }
        // The series of the manifest must have exactly these windows across all changes of the clock.
        for run in series where !run.windows.isEmpty {
            let expected = run.windows.compactMap { originals[$0] }
            guard let first = expected.first, let last = expected.last else { return nil }
            let declared = Series(
                every: run.every, from: first.start, until: .time(last.end), timeZone: zone,
                place: Place(file: "", line: 1, column: 1))
            guard declared.windows(dueAt: last.end).flatMap(Array.init) == expected else { return nil }
        }
    }

    private static func isMidnight(_ civil: Timestamp) -> Bool { UTCTime(civil).secondOfDay == 0 }

    private struct End: Hashable {
        let time: Timestamp
        let every: Series.Step
    }
}

extension Series.Step {
    /// The length of the window: in months if its bounds are the first of a month (UTC), otherwise in days or seconds.
    fileprivate init(_ window: Window) {
        let seconds = window.length.wholeSeconds
        if let months = window.wholeMonths {
            self = .months(months)
        } else if seconds % 86_400 == 0 {
            self = .days(Int(seconds / 86_400))
        } else {
            self = .fixed(.seconds(seconds))
        }
    }

    /// The notation in a manifest: `PT15M`, `P1D`, `P1W`, `P1M`, `P1Y`.
    var text: String {
        switch self {
        case .months(let months): months % 12 == 0 ? "P\(months / 12)Y" : "P\(months)M"
        case .days(let days): days % 7 == 0 ? "P\(days / 7)W" : "P\(days)D"
        case .fixed(let length):
            switch length.wholeSeconds {
            case let seconds where seconds % 3600 == 0: "PT\(seconds / 3600)H"
            case let seconds where seconds % 60 == 0: "PT\(seconds / 60)M"
            case let seconds: "PT\(seconds)S"
            }
        }
    }
}

extension Window {
    /// The length in months; `nil` unless the window starts and ends at midnight UTC on the first of a month.
    fileprivate var wholeMonths: Int? {
        let (start, end) = (UTCTime(start), UTCTime(end))
        guard start.day == 1, end.day == 1, start.secondOfDay == 0, end.secondOfDay == 0 else { return nil }
        return (end.year - start.year) * 12 + end.month - start.month
    }
}
