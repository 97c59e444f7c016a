import FlowRuns
import Manifests

/// Windows as a manifest declares them in few lines: those that touch and are equally long, by the clock or by the months
/// of the calendar, as a series, the others one by one.
struct FoldedTime {
    struct Run {
        let every: Series.Step
        let from: Timestamp
        fileprivate(set) var until: Timestamp
        fileprivate(set) var windows: [Window]
    }

    private(set) var series: [Run] = []
    private(set) var windows: [Window] = []

    /// Fewer windows than this are as plain one by one.
    private static let fewest = 3

    /// - Parameter sorted: each once, in order.
    init(_ sorted: [Window]) {
        var open: [End: Run] = [:]
        func close(_ run: Run) {
            if run.windows.count < Self.fewest { windows += run.windows } else { series.append(run) }
        }
        var runs: [Run] = []
        for window in sorted {
            let every = Series.Step(window)
            var run =
                open.removeValue(forKey: End(time: window.start, every: every))
                ?? Run(every: every, from: window.start, until: window.end, windows: [])
            run.until = window.end
            run.windows.append(window)
            // Of two that lead to one end, both are kept: one goes on.
            if let other = open.updateValue(run, forKey: End(time: window.end, every: every)) { runs.append(other) }
        }
        for run in runs + open.values { close(run) }
        series.sort { ($0.from, $0.until) < ($1.from, $1.until) }
        windows.sort()
    }

    private struct End: Hashable {
        let time: Timestamp
        let every: Series.Step
    }
}

extension Series.Step {
    /// The length of the window: in months where it is cut at the first of months, by UTC.
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

    /// As a manifest writes it: `PT15M`, `P1D`, `P1W`, `P1M`, `P1Y`.
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
    /// `nil` unless it begins and ends at midnight of the first of a month, by UTC.
    fileprivate var wholeMonths: Int? {
        let (start, end) = (UTCTime(start), UTCTime(end))
        guard start.day == 1, end.day == 1, start.secondOfDay == 0, end.secondOfDay == 0 else { return nil }
        return (end.year - start.year) * 12 + end.month - start.month
    }
}
