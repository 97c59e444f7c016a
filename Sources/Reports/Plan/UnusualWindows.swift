import FlowRuns
import Planner

/// Finds the requests of a flow that look like typing errors, so that a reviewer checks them: a wrong year,
/// milliseconds instead of seconds, a series that starts too early.
///
/// An unusual request can still be correct.
struct UnusualWindows {
    /// Distances above this are unusual between two windows, and between the start of a flow and the median start.
    static let farApart = meanYear * 2
    /// Time spans above this are unusual for the requests of one flow.
    static let longSpan = meanYear * 3
    /// Distances above this are unusual between one or two windows and all others: a mistyped year is often the next or
    /// the previous one.
    private static let farForFew = Duration.seconds(300 * 86_400)
    /// Windows that are this many times as long as the median are unusual.
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
                addRemark(index, "ends in \(UTCTime(action.window.end).year), \(ahead) after this plan")
            } else if length > median, actions.count >= 3, length / Self.muchLonger >= median {
                addRemark(index, "\(grouped(Int(length / median as Double))) times as long as most windows here")
            }
        }
        markGaps(actions)
    }

    /// Fast path: in most plans, all windows are equally long, none ends after the plan, and none is far from the next.
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

    /// The remark on the action at an index; `nil` if it is not unusual.
    subscript(index: Int) -> String? { remarks[index] }

    var isEmpty: Bool { remarks.isEmpty }

    private mutating func addRemark(_ index: Int, _ remark: String) {
        remarks[index] = remarks[index].map { "\($0); \(remark)" } ?? remark
    }

    /// Finds windows that are far apart. Of two such windows, the one with fewer windows on its side is the unusual
    /// one.
    private mutating func markGaps(_ actions: PlannedActions) {
        // The requests are in window order or in reverse window order.
        let isReversed = actions.count > 1 && (actions.last?.window ?? actions[0].window) < actions[0].window
        func place(_ index: Int) -> Int { isReversed ? actions.count - 1 - index : index }
        for index in actions.indices.dropFirst() {
            let (end, start) = (actions[place(index - 1)].window.end, actions[place(index)].window.start)
            if start <= end { continue }
            let gap = start - end
            let isFew = min(index, actions.count - index) <= 2 && actions.count >= 4
            guard gap > (isFew ? Self.farForFew : Self.farApart) else { continue }
            if index <= actions.count / 2 {
                addRemark(place(index - 1), "\(spanText(gap)) before the next window")
            } else {
                addRemark(place(index), "\(spanText(gap)) after the previous window")
            }
        }
    }
}

extension Plan {
    /// The flows whose requests start much earlier than those of most others, with the difference.
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
