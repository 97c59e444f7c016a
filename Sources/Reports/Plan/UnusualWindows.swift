import FlowRuns
import Planner

/// What a reviewer should check in the requests of one flow: this is how a typing error shows (a wrong year,
/// milliseconds for seconds, a series that starts too early). A request may be unusual and still be right.
struct UnusualWindows {
    /// Two windows further apart than this, or a flow that starts this much before most others, are unusual.
    static let farApart = meanYear * 2
    /// A flow whose requests cover more time than this is unusual.
    static let longSpan = meanYear * 3
    /// So are one or two windows this far from the others: a mistyped year is most often the next or the last.
    private static let farForFew = Duration.seconds(300 * 86_400)
    /// A window is unusual when it is so many times as long as the median.
    private static let muchLonger = 20

    private var remarks: [Int: String] = [:]

    init(_ actions: PlannedActions, asOf: Timestamp) {
        guard !Self.arePlain(actions, asOf: asOf) else { return }
        let lengths = actions.map(\.window.length).sorted()
        let median = lengths[lengths.count / 2]
        for (index, action) in actions.enumerated() {
            let length = action.window.length
            if action.window.end > asOf {
                let ahead = spanText(action.window.end - asOf)
                note(index, "ends in \(UTCTime(action.window.end).year), \(ahead) after this plan")
            } else if length > median, actions.count >= 3, length / Self.muchLonger >= median {
                note(index, "\(grouped(Int(length / median as Double))) times as long as most windows here")
            }
        }
        noteGaps(actions)
    }

    /// Most are: equally long, none ends after the plan, and none is far from the next.
    private static func arePlain(_ actions: PlannedActions, asOf: Timestamp) -> Bool {
        let length = actions.first?.window.length
        let areAlike = actions.rows.allSatisfy {
            $0.first.window.length == length && max($0.first.window.end, $0.last.window.end) <= asOf
        }
        return areAlike
            && actions.neighbours.allSatisfy {
                max($1.window.start - $0.window.end, $0.window.start - $1.window.end) <= farForFew
            }
    }

    /// What is unusual about the action at the index; `nil` when nothing is.
    subscript(index: Int) -> String? { remarks[index] }

    var isEmpty: Bool { remarks.isEmpty }

    private mutating func note(_ index: Int, _ remark: String) {
        remarks[index] = remarks[index].map { "\($0); \(remark)" } ?? remark
    }

    /// Of two windows far apart, the one with fewer on its side is the unusual one.
    private mutating func noteGaps(_ actions: PlannedActions) {
        // By window: the requests stand so, or the other way round.
        let isReversed = actions.count > 1 && (actions.last?.window ?? actions[0].window) < actions[0].window
        func place(_ index: Int) -> Int { isReversed ? actions.count - 1 - index : index }
        for index in actions.indices.dropFirst() {
            let (end, start) = (actions[place(index - 1)].window.end, actions[place(index)].window.start)
            if start <= end { continue }
            let gap = start - end
            let isFew = min(index, actions.count - index) <= 2 && actions.count >= 4
            guard gap > (isFew ? Self.farForFew : Self.farApart) else { continue }
            if index <= actions.count / 2 {
                note(place(index - 1), "\(spanText(gap)) before the next window")
            } else {
                note(place(index), "\(spanText(gap)) after the previous window")
            }
        }
    }
}

extension Plan {
    /// Of flows whose requests begin years before those of most others: by how much.
    var earlyStarts: [FlowID: Duration] {
        let starts = flows.compactMap(\.span?.start).sorted()
        guard starts.count >= 2 else { return [:] }
        let median = starts[starts.count / 2]
        var early: [FlowID: Duration] = [:]
        for flow in flows {
            guard let start = flow.span?.start else { continue }
            let ahead = median - start
            if ahead > UnusualWindows.farApart { early[flow.id] = ahead }
        }
        return early
    }
}
