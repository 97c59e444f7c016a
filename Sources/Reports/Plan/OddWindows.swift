import FlowRuns
import Planner

/// What a reviewer should look at twice in the requests of one flow: each is how a slip of the pen shows (a wrong year,
/// milliseconds for seconds, a series that starts too early). A request may be odd and right all the same.
struct OddWindows {
    /// Two windows further apart than this, or a flow that starts this much before most others, are worth a look.
    static let farApart = meanYear * 2
    /// A flow whose requests cover more time than this is worth a look.
    static let longSpan = meanYear * 3
    /// One or two windows this far from the others are worth one too: a year that was mistyped is mostly the next.
    private static let farForFew = Duration.seconds(300 * 86_400)
    /// So many times the median length is worth a look.
    private static let muchLonger = 20

    private var remarks: [Int: String] = [:]

    init(_ actions: [PlannedAction], asOf: Timestamp) {
        let lengths = actions.map(\.window.length).sorted()
        let median = lengths.isEmpty ? .zero : lengths[lengths.count / 2]
        for (index, action) in actions.enumerated() {
            let length = action.window.length
            if action.window.end > asOf {
                let ahead = spanText(action.window.end - asOf)
                note(index, "ends in \(UTCTime(action.window.end).year), \(ahead) after this plan")
            } else if lengths.count >= 3, length / Self.muchLonger >= median {
                note(index, "\(grouped(Int(length / median as Double))) times as long as most here")
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
            let gap = actions[index].window.start - actions[index - 1].window.end
            let isFew = min(index, actions.count - index) <= 2 && actions.count >= 4
            guard gap > (isFew ? Self.farForFew : Self.farApart) else { continue }
            if index <= actions.count / 2 {
                note(index - 1, "\(spanText(gap)) before the next")
            } else {
                note(index, "\(spanText(gap)) after the one before")
            }
        }
    }
}

extension Plan {
    /// Of flows whose requests begin years before those of most others: by how much.
    var earlyStarts: [FlowID: Duration] {
        let starts = flows.compactMap(\.actions.first?.window.start).sorted()
        guard starts.count >= 2 else { return [:] }
        let median = starts[starts.count / 2]
        var early: [FlowID: Duration] = [:]
        for flow in flows {
            guard let start = flow.actions.first?.window.start else { continue }
            let ahead = median - start
            if ahead > OddWindows.farApart { early[flow.id] = ahead }
        }
        return early
    }
}
