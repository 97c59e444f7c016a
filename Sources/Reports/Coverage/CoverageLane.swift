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
