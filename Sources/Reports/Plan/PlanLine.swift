import FlowRuns
import Planner

/// A line in the view of a plan: a request or held window, or several folded ones.
struct PlanLine {
    let kind: PlanSymbol
    private(set) var windows: FoldedWindows
    /// See `PlannedAction.timeZone`.
    let timeZone: String?
    /// The reason for the request, or for holding the window.
    private(set) var reason: String
    /// The reason of a retry without the ID of the retried run; `nil` for other lines.
    private let cause: String?
    /// The remark of ``UnusualWindows``; `nil` if the window is not unusual.
    let unusual: String?
    /// Whether the line takes precedence over plain lines if there is not enough room.
    let isNotable: Bool
    /// Whether the line is the first run of its flow, without anything else to mention.
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

    /// Returns the lines of consecutive requests: a single line if their windows fold, otherwise one line each.
    static func lines(of row: PlannedActions.Row) -> [PlanLine] {
        var line = PlanLine(row.first, unusual: nil)
        if row.count == 1 || !line.isNotable && line.windows.merge(row.count - 1, upTo: row.last.window) {
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

    /// Merges another line if the windows fold and both lines are plain with the same reason, retries for the same
    /// cause, or of the same rerun. Returns whether the lines were merged.
    mutating func merge(_ other: PlanLine) -> Bool {
        let isPlain = !isNotable && !other.isNotable && reason == other.reason
        let isSameRetry = cause != nil && cause == other.cause && unusual == nil && other.unusual == nil
        let isSameRerun = kind == .rerun && reason == other.reason && unusual == nil && other.unusual == nil
        guard isPlain || isSameRetry || isSameRerun, kind == other.kind, timeZone == other.timeZone,
            windows.merge(other.windows)
        else { return false }
        reason = cause ?? reason
        return true
    }

    /// Merges each line into the previous one where possible.
    static func folded(_ lines: some Sequence<PlanLine>) -> [PlanLine] {
        Array(folding: lines) { $0.merge($1) }
    }
}

extension PlannedAction {
    /// The planner's reason, followed by the refusal unless the reason already contains it.
    fileprivate var reasonWithRefusal: String {
        guard let refusal, !reason.contains(refusal.prefix(40)) else { return reason }
        return "\(reason); refused before: \(refusal)"
    }
}

extension FlowPlan {
    /// Returns the requests in the order of sending, with plain ones folded.
    func requestLines(asOf: Timestamp) -> [PlanLine] {
        let unusual = UnusualWindows(actions, asOf: asOf)
        guard unusual.isEmpty else {
            return PlanLine.folded(actions.enumerated().lazy.map { PlanLine($0.element, unusual: unusual[$0.offset]) })
        }
        return PlanLine.folded(actions.rows.lazy.flatMap(PlanLine.lines))
    }

    /// The held windows, folded.
    var heldLines: [PlanLine] { PlanLine.folded(held.lazy.map { PlanLine($0) }) }

    /// The delta column that a request of the flow carries; `nil` if none does.
    var firstColumn: DeltaColumn? { actions.rows.lazy.compactMap(\.first.deltaColumn).first }

    /// The time zone of all requests; `nil` if they differ or use UTC.
    var timeZone: String? {
        guard let zone = actions.first?.timeZone, actions.rows.allSatisfy({ $0.first.timeZone == zone }) else {
            return nil
        }
        return zone
    }

    /// The range from the earliest start to the latest end of all requests; `nil` if there are none.
    var span: Window? {
        guard var (start, end) = actions.first.map({ ($0.window.start, $0.window.end) }) else { return nil }
        for window in actions.rows.flatMap({ [$0.first.window, $0.last.window] }) {
            if window.start < start { start = window.start }
            if window.end > end { end = window.end }
        }
        return Window(start: start, end: end)
    }
}

/// The lines that fit, in order, and the number of omitted windows of each kind.
struct PlanLineSelection {
    let shown: [PlanLine]
    let omitted: Tally<PlanSymbol>

    /// Selects lines: notable lines take precedence over plain ones, and earlier lines over later ones.
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
        var omitted = Tally<PlanSymbol>()
        for index in lines.indices where !chosen.contains(index) {
            omitted[lines[index].kind] += lines[index].windows.count
        }
        self.omitted = omitted
    }

    var omittedCount: Int { PlanSymbol.allCases.reduce(0) { $0 + omitted[$1] } }

    /// The omitted windows by kind, such as `99,000 to request, 950 to retry`.
    var omittedText: String {
        PlanSymbol.allCases.filter { omitted[$0] > 0 }.map { "\(grouped(omitted[$0])) \($0.inWords)" }
            .joined(separator: ", ")
    }
}

/// The kind of a line in a plan, with the symbol at its beginning.
enum PlanSymbol: CaseIterable {
    case create, retry, rerun, held, paused, limited, waiting, recorded, undeclared

    func painted(_ style: TextStyle) -> StyledText { style.paint(symbol(style), tone) }

    private func symbol(_ style: TextStyle) -> String {
        switch self {
        case .create: "+"
        case .retry: "~"
        case .rerun: style.unicode ? "±" : "&"
        case .held: "!"
        case .paused: "-"
        case .limited: ">"
        case .waiting: "<"
        case .recorded: "="
        case .undeclared: "?"
        }
    }

    var meaning: String {
        switch self {
        case .create: "request"
        case .retry: "retry"
        case .rerun: "rerun"
        case .held: "held"
        case .paused: "paused"
        case .limited: "over a limit"
        case .waiting: "waiting"
        case .recorded: "recorded"
        case .undeclared: "undeclared"
        }
    }

    /// The kind after a count, such as `to request` or `held`.
    var inWords: String { [.create, .retry, .rerun].contains(self) ? "to \(meaning)" : meaning }

    var tone: TextStyle.Tone {
        switch self {
        case .create: .good
        case .retry: .changed
        case .rerun: .active
        case .held: .error
        case .paused, .waiting: .warning
        case .limited, .recorded, .undeclared: .quiet
        }
    }

    func count(in counts: PlanCounts) -> Int {
        switch self {
        case .limited: counts.sum(.untilTomorrow, .untilRunsEnd)
        default: PlanCount(rawValue: "\(self)").map { counts[$0] } ?? 0
        }
    }
}
