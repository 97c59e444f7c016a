import FlowRuns
import Planner

/// One line of a plan as people read it: a request, or a fold of plain ones or of retries for one cause.
struct PlanEntry {
    enum Kind: CaseIterable {
        case create
        case retry
        case rerun
        case held
    }

    let kind: Kind
    private(set) var windows: FoldedWindows
    /// See ``PlannedAction/timeZone``.
    let timeZone: String?
    /// Why it is asked for, or what it waits for.
    private(set) var reason: String
    /// Of a retry: the reason without the run that it retries.
    private let cause: String?
    /// See ``OddWindows``.
    let oddity: String?
    /// Shown before plain ones when there is not room for all.
    let isNotable: Bool

    init(_ action: PlannedAction, oddity: String?) {
        kind =
            switch action.kind {
            case .create: .create
            case .retry: .retry
            case .rerun: .rerun
            }
        windows = FoldedWindows(action.window)
        timeZone = action.timeZone
        reason = action.reasonWithRefusal
        cause = action.kind.retried.map { [reason] in reason.replacing("its run \($0)", with: "their runs") }
        self.oddity = oddity
        isNotable = kind != .create || action.deltaColumn != nil || action.refusal != nil || oddity != nil
    }

    init(_ held: HeldWindow) {
        kind = .held
        windows = FoldedWindows(held.window)
        timeZone = held.timeZone
        reason = held.reason
        cause = nil
        oddity = nil
        isNotable = false
    }

    /// Takes the other in when both are plain and of one reason, or retries for one cause, and the windows fold.
    mutating func take(_ other: PlanEntry) -> Bool {
        let isPlain = !isNotable && !other.isNotable && reason == other.reason
        let isSameRetry = cause != nil && cause == other.cause && oddity == nil && other.oddity == nil
        guard isPlain || isSameRetry, kind == other.kind, timeZone == other.timeZone,
            let window = Window(start: other.windows.start, end: other.windows.end), windows.take(window)
        else { return false }
        reason = cause ?? reason
        return true
    }
}

extension PlannedAction {
    /// The planner's reason tells of a refusal for plain requests; for the others it is added.
    fileprivate var reasonWithRefusal: String {
        guard let refusal, !reason.contains(refusal.prefix(40)) else { return reason }
        return "\(reason); refused before: \(refusal)"
    }
}

extension FlowPlan {
    /// Its requests in the order in which they are sent, plain ones folded.
    func entries(asOf: Timestamp) -> [PlanEntry] {
        let odd = OddWindows(actions, asOf: asOf)
        return folded(actions.enumerated().map { PlanEntry($0.element, oddity: odd[$0.offset]) })
    }

    /// Its held windows, folded.
    var heldEntries: [PlanEntry] { folded(held.map { PlanEntry($0) }) }

    private func folded(_ entries: [PlanEntry]) -> [PlanEntry] {
        var folded: [PlanEntry] = []
        for entry in entries {
            if let last = folded.indices.last, folded[last].take(entry) { continue }
            folded.append(entry)
        }
        return folded
    }

    /// The time zone that all its requests are cut in, where it is one and not UTC.
    var timeZone: String? {
        guard let zone = actions.first?.timeZone, actions.allSatisfy({ $0.timeZone == zone }) else { return nil }
        return zone
    }

    /// From the first request's start to the last end of any.
    var span: Window? {
        guard let start = actions.first?.window.start, let end = actions.lazy.map(\.window.end).max() else {
            return nil
        }
        return Window(start: start, end: end)
    }
}

/// What there is room for, in order, and how many windows of each kind are left out.
struct Selection {
    let shown: [PlanEntry]
    let omitted: [PlanEntry.Kind: Int]

    /// Notable entries come before plain ones, and the first before the last.
    init(_ entries: [PlanEntry], limit: Int) {
        guard entries.count > limit else {
            (shown, omitted) = (entries, [:])
            return
        }
        let notable = entries.indices.filter { entries[$0].isNotable }
        let plain = entries.indices.filter { !entries[$0].isNotable }
        let plainLimit = max(min(2, limit, plain.count), limit - notable.count)
        let chosen = Set(notable.prefix(limit - min(plainLimit, plain.count)) + plain.prefix(plainLimit))
        shown = entries.indices.filter(chosen.contains).map { entries[$0] }
        var omitted: [PlanEntry.Kind: Int] = [:]
        for index in entries.indices where !chosen.contains(index) {
            omitted[entries[index].kind, default: 0] += entries[index].windows.count
        }
        self.omitted = omitted
    }

    var omittedCount: Int { omitted.values.reduce(0, +) }

    /// `99,000 to request, 950 to retry`
    var omittedText: String {
        PlanEntry.Kind.allCases.compactMap { kind in
            omitted[kind].map { "\(grouped($0)) \(kind.inWords)" }
        }.joined(separator: ", ")
    }
}

extension PlanEntry.Kind {
    var inWords: String {
        switch self {
        case .create: "to request"
        case .retry: "to retry"
        case .rerun: "to rerun"
        case .held: "held"
        }
    }
}
