import FlowRuns

/// A flow's intervals, mapped to the columns of its lane.
///
/// Intervals that share a column form one mark, which has the most severe of their states.
struct CoverageLane {
    struct Mark: Hashable {
        var columns: Range<Int>
        let state: CoverageState
        /// The exact start of the mark's intervals in this state; `end` and `count` describe the same intervals.
        var start: Timestamp
        var end: Timestamp
        var count: Int
        var line: Int?

        var stretch: FlowCoverage.Stretch { .init(start: start, end: end, state: state, count: count, line: line) }
    }

    static let width = 1000

    let marks: [Mark]

    /// Maps the intervals of a flow to columns.
    ///
    /// - Parameter width: The number of columns.
    init(_ coverage: FlowCoverage, _ scale: CoverageScale, width: Int = width) {
        var columns = [CoverageState?](repeating: nil, count: width)
        let stretches = coverage.stretches.filter(scale.shows)
        for stretch in stretches {
            for column in Self.columns(of: stretch, scale, width) {
                columns[column] = columns[column].map { max($0, stretch.state) } ?? stretch.state
            }
        }

        var marks: [Mark] = []
        var markAt = [Int?](repeating: nil, count: width)
        for (column, state) in columns.enumerated() {
            guard let state else { continue }
            if let last = marks.indices.last, marks[last].state == state, marks[last].columns.upperBound == column {
                marks[last].columns = marks[last].columns.lowerBound..<column + 1
            } else {
                marks.append(Mark(columns: column..<column + 1, state: state, start: .max, end: .min, count: 0))
            }
            markAt[column] = marks.count - 1
        }

        for stretch in stretches {
            let mark = Self.columns(of: stretch, scale, width).lazy.compactMap { markAt[$0] }
                .first { marks[$0].state == stretch.state }
            guard let mark else { continue }
            marks[mark].start = min(marks[mark].start, stretch.start)
            marks[mark].end = max(marks[mark].end, stretch.end)
            marks[mark].count += 1
            marks[mark].line = marks[mark].line ?? stretch.line
        }
        self.marks = marks
    }

    private static func columns(
        of stretch: FlowCoverage.Stretch, _ scale: CoverageScale, _ width: Int
    ) -> Range<Int> {
        let first = min(width - 1, Int(scale.position(stretch.start) * Double(width)))
        let end = Int((scale.position(stretch.end) * Double(width)).rounded(.up))
        return first..<min(width, max(end, first + stretch.state.minWidth))
    }
}

/// The time axis that all lanes share.
struct CoverageScale {
    struct Tick: Hashable {
        /// The position on the axis, 0...1.
        let position: Double
        let label: String
    }

    /// The time that the picture shows at first.
    private(set) var start: Timestamp
    private(set) var end: Timestamp
    /// The time of all windows.
    let whole: Window
    /// The number of windows outside of the time that is shown at first.
    let outside: Int

    /// The maximum time from now to the end of the axis: a window far in the future would compress all others.
    private static let farAhead = meanYear
    private static let day = Duration.seconds(86_400)

    /// Returns `nil` if there is nothing to show.
    init?(_ flows: [FlowCoverage], asOf: Timestamp) {
        let windows = flows.flatMap { $0.stretches.filter { $0.state != .gap } }
        let starts = windows.map(\.start).sorted()
        guard let earliest = starts.first else { return nil }
        let limit = asOf + Self.farAhead
        let latest = windows.lazy.map(\.end).filter { $0 <= limit }.max() ?? asOf
        // A few windows long before all others would compress them at the right edge.
        let common = starts.count < 8 ? earliest : starts[max(1, starts.count / 100)]
        let first = (latest - common) * 4 < latest - earliest ? common : earliest
        // An axis extended to now would compress windows of long ago at its left edge.
        let isLongAgo = asOf - latest > (latest - first) * 4
        let last = isLongAgo ? latest : max(latest, asOf)
        let (start, end) = (min(first, last - .seconds(1)), last)
        self.start = start
        self.end = end
        let all = (min(start, earliest), max(end, windows.lazy.map(\.end).max() ?? end))
        guard let whole = Window(start: all.0, end: all.1) else { return nil }
        self.whole = whole
        outside = windows.count { $0.end <= start || $0.start >= end }
    }

    /// The axis of all windows.
    var wide: CoverageScale {
        var scale = self
        (scale.start, scale.end) = (whole.start, whole.end)
        return scale
    }

    /// Checks whether any part of an interval is on the axis.
    func shows(_ stretch: FlowCoverage.Stretch) -> Bool { stretch.start < end && stretch.end > start }

    /// Returns the position of a time on the axis, 0...1; times outside of the axis are clamped.
    func position(_ time: Timestamp) -> Double {
        min(1, max(0, (time - start) / (end - start)))
    }

    /// The ticks of the axis: at most a dozen round times in UTC.
    var ticks: [Tick] {
        let span = end - start
        let clock = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400]
        if let step = clock.map({ Duration.seconds($0) }).first(where: { Self.fits(span, step: $0) }) {
            return Self.multiples(of: step, from: start, through: end).map { time in
                let moment = UTCTime(time)
                return tick(
                    time, label: step < Self.day ? "\(moment.date.dropFirst(5)) \(moment.time.prefix(5))" : moment.date)
            }
        }
        let months: [Int] = [1, 3, 6, 12, 24, 60, 120, 600, 1200, 12_000]
        let step = months.first { Self.fits(span, step: Self.day * 30 * $0) } ?? 12_000
        let (from, through) = (UTCTime(start), UTCTime(end))
        return stride(from: from.year * 12 / step * step, through: through.year * 12 + 11, by: step).compactMap {
            month in
            guard let time = Timestamp(year: month / 12, month: month % 12 + 1, day: 1),
                start <= time, time <= end
            else { return nil }
            return tick(time, label: step % 12 == 0 ? "\(month / 12)" : String(UTCTime(time).date.prefix(7)))
        }
    }

    /// Checks whether steps of this length give few enough ticks.
    private static func fits(_ span: Duration, step: Duration) -> Bool { span / step < 11 }

    private static func multiples(of step: Duration, from start: Timestamp, through end: Timestamp) -> [Timestamp] {
        let passed = (start.milliseconds % step.milliseconds + step.milliseconds) % step.milliseconds
        var time = passed == 0 ? start : start + step - .milliseconds(passed)
        var multiples: [Timestamp] = []
        while time <= end {
            multiples.append(time)
            time += step
        }
        return multiples
    }

    private func tick(_ time: Timestamp, label: String) -> Tick { Tick(position: position(time), label: label) }
}
