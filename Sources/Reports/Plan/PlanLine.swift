import FlowRuns
import Planner

/// One line of a plan as people read it: a request, or a fold of plain ones or of retries for one cause.
struct PlanLine {
    enum Kind: CaseIterable {
        case create
        case retry
        case rerun
        case held
        case paused
        case limited
        case waiting
    }

    let kind: Kind
    private(set) var windows: FoldedWindows
    /// See ``PlannedAction/timeZone``.
    let timeZone: String?
    /// Why it is asked for, or what it waits for.
    private(set) var reason: String
    /// Of a retry: the reason without the run that it retries.
    private let cause: String?
    /// See ``UnusualWindows``.
    let unusual: String?
    /// Shown before plain ones when there is not room for all.
    let isNotable: Bool
    /// The flow's first run, and nothing else is to be said of it.
    let isPlainFirstRun: Bool

    init(_ action: PlannedAction, unusual: String?) {
        kind =
            switch action.kind {
            case .create: .create
            case .retry: .retry
            case .rerun: .rerun
            }
        windows = FoldedWindows(action.window, noun: action.members.isEmpty ? "windows" : "runs")
        timeZone = action.timeZone
        reason = action.reasonWithRefusal
        cause = action.kind.retried.map { [reason] in reason.replacing("its run \($0)", with: "their runs") }
        self.unusual = unusual
        isNotable = kind != .create || action.deltaColumn != nil || action.refusal != nil || unusual != nil
        isPlainFirstRun = kind == .create && action.deltaColumn != nil && action.refusal == nil && unusual == nil
    }

    /// Of requests in a row: one line where their windows fold, or one each.
    static func lines(of row: PlannedActions.Row) -> [PlanLine] {
        var line = PlanLine(row.first, unusual: nil)
        if row.count == 1 || !line.isNotable && line.windows.take(row.count - 1, upTo: row.last.window) {
            return [line]
        }
        return (0..<row.count).map { PlanLine(row[$0], unusual: nil) }
    }

    init(_ held: HeldWindow) {
        kind =
            switch held.cause {
            case .doubt, .replaced: .held
            case .paused: .paused
            case .dayLimit, .runningLimit: .limited
            case .waiting: .waiting
            }
        windows = FoldedWindows(held.window)
        timeZone = held.timeZone
        reason = held.reason
        cause = nil
        unusual = nil
        isNotable = false
        isPlainFirstRun = false
    }

    /// Takes the other in when both are plain and of one reason, or retries for one cause, or of one rerun, and the windows
    /// fold.
    mutating func take(_ other: PlanLine) -> Bool {
        let isPlain = !isNotable && !other.isNotable && reason == other.reason
        let isSameRetry = cause != nil && cause == other.cause && unusual == nil && other.unusual == nil
        let isSameRerun = kind == .rerun && reason == other.reason && unusual == nil && other.unusual == nil
        guard isPlain || isSameRetry || isSameRerun, kind == other.kind, timeZone == other.timeZone,
            windows.take(other.windows)
        else { return false }
        reason = cause ?? reason
        return true
    }

    /// The lines with each taken into the one before where that can take it.
    static func folded(_ lines: some Sequence<PlanLine>) -> [PlanLine] {
        var folded: [PlanLine] = []
        for line in lines {
            if let last = folded.indices.last, folded[last].take(line) { continue }
            folded.append(line)
        }
        return folded
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
    func requestLines(asOf: Timestamp) -> [PlanLine] {
        let unusual = UnusualWindows(actions, asOf: asOf)
        guard unusual.isEmpty else {
            return PlanLine.folded(actions.enumerated().lazy.map { PlanLine($0.element, unusual: unusual[$0.offset]) })
        }
        return PlanLine.folded(actions.rows.lazy.flatMap(PlanLine.lines))
    }

    /// Its held windows, folded.
    var heldLines: [PlanLine] { PlanLine.folded(held.lazy.map { PlanLine($0) }) }

    /// The delta column that one of its requests carries.
    var firstColumn: DeltaColumn? { actions.rows.lazy.compactMap(\.first.deltaColumn).first }

    /// The time zone that all its requests are cut in, where it is one and not UTC.
    var timeZone: String? {
        guard let zone = actions.first?.timeZone, actions.rows.allSatisfy({ $0.first.timeZone == zone }) else {
            return nil
        }
        return zone
    }

    /// From the earliest start of any request to the latest end.
    var span: Window? {
        guard var (start, end) = actions.first.map({ ($0.window.start, $0.window.end) }) else { return nil }
        for window in actions.rows.flatMap({ [$0.first.window, $0.last.window] }) {
            if window.start < start { start = window.start }
            if window.end > end { end = window.end }
        }
        return Window(start: start, end: end)
    }
}

/// What there is room for, in order, and how many windows of each kind are left out.
struct PlanLineSelection {
    let shown: [PlanLine]
    let omitted: [PlanLine.Kind: Int]

    /// Notable lines come before plain ones, and the first before the last.
    init(_ lines: [PlanLine], limit: Int) {
        guard lines.count > limit else {
            (shown, omitted) = (lines, [:])
            return
        }
        let notable = lines.indices.filter { lines[$0].isNotable }
        let plain = lines.indices.filter { !lines[$0].isNotable }
        let plainLimit = max(min(2, limit, plain.count), limit - notable.count)
        let chosen = Set(notable.prefix(limit - min(plainLimit, plain.count)) + plain.prefix(plainLimit))
        shown = lines.indices.filter(chosen.contains).map { lines[$0] }
        var omitted: [PlanLine.Kind: Int] = [:]
        for index in lines.indices where !chosen.contains(index) {
            omitted[lines[index].kind, default: 0] += lines[index].windows.count
        }
        self.omitted = omitted
    }

    var omittedCount: Int { omitted.values.reduce(0, +) }

    /// `99,000 to request, 950 to retry`
    var omittedText: String {
        PlanLine.Kind.allCases.compactMap { kind in
            omitted[kind].map { "\(grouped($0)) \(kind.inWords)" }
        }.joined(separator: ", ")
    }
}

extension PlanLine.Kind {
    var inWords: String {
        switch self {
        case .create: "to request"
        case .retry: "to retry"
        case .rerun: "to rerun"
        case .held: "held"
        case .paused: "paused"
        case .limited: "over a limit"
        case .waiting: "waiting"
        }
    }
}
