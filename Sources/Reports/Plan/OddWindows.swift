import FlowRuns
import Planner

/// What a reviewer should look at twice in the requests of one flow: each is how a slip of the pen shows (a wrong year,
/// milliseconds for seconds, a series that starts too early). A request may be odd and right all the same.
struct OddWindows {
    /// Two windows further apart than this, or a flow that starts this much before most others, are worth a look.
    static let farApart = 2 * secondsPerYear
    /// A flow whose requests cover more time than this is worth a look.
    static let longSpan = 3 * secondsPerYear
    /// One or two windows this far from the others are worth one too: a year that was mistyped is mostly the next.
    private static let farForFew: Int64 = 300 * 86_400
    /// So many times the median length is worth a look.
    private static let muchLonger: Int64 = 20

    private var remarks: [Int: String] = [:]

    init(_ actions: [PlannedAction], asOf: UnixSeconds) {
        let lengths = actions.map(\.window.safeLength).sorted()
        let median = lengths.isEmpty ? 0 : lengths[lengths.count / 2]
        for (index, action) in actions.enumerated() {
            let length = action.window.safeLength
            if action.window.end > asOf {
                let ahead = spanText(action.window.end.subtractingReportingOverflow(asOf).partialValue)
                note(index, "ends in \(UTCTime(action.window.end).year), \(ahead) after this plan")
            } else if lengths.count >= 3, length / Self.muchLonger >= median {
                note(index, "\(grouped(Int(length / median))) times as long as most here")
            }
        }
        noteGaps(actions)
    }

    /// What is odd about the action at the index; `nil` when nothing is.
    subscript(index: Int) -> String? { remarks[index] }

    var isEmpty: Bool { remarks.isEmpty }

    private mutating func note(_ index: Int, _ remark: String) {
        remarks[index] = remarks[index].map { "\($0); \(remark)" } ?? remark
    }

    /// Of two windows far apart, the one with fewer on its side is the odd one.
    private mutating func noteGaps(_ actions: [PlannedAction]) {
        for index in actions.indices.dropFirst() {
            let (gap, overflow) = actions[index].window.start.subtractingReportingOverflow(
                actions[index - 1].window.end)
            let isFew = min(index, actions.count - index) <= 2 && actions.count >= 4
            guard !overflow, gap > (isFew ? Self.farForFew : Self.farApart) else { continue }
            if index <= actions.count / 2 {
                note(index - 1, "\(spanText(gap)) before the next")
            } else {
                note(index, "\(spanText(gap)) after the one before")
            }
        }
    }
}

extension Plan {
    /// Of flows whose requests begin years before those of most others: by how many seconds.
    var earlyStarts: [FlowID: Int64] {
        let starts = flows.compactMap(\.actions.first?.window.start).sorted()
        guard starts.count >= 2 else { return [:] }
        let median = starts[starts.count / 2]
        var early: [FlowID: Int64] = [:]
        for flow in flows {
            guard let start = flow.actions.first?.window.start else { continue }
            let (ahead, overflow) = median.subtractingReportingOverflow(start)
            if !overflow, ahead > OddWindows.farApart { early[flow.flow] = ahead }
        }
        return early
    }
}
