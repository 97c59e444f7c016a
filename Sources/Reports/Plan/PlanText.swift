import FlowRuns
import Manifests
import Planner
import Text

/// The terminal view of a plan: grouped by flow, long series folded, what matters on a line of its own, and a closing
/// line with the counts. It stays about one screen long, however large the plan.
///
/// ```
/// contacts  3abea21c-7e36-4be1-bec1-d3bad0e3e0de  flows/crm.yaml:14
///   + 2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z  1d                 first run of the flow: carries the delta column DOB
///   + 2024-01-02T00:00:00Z … 2024-12-31T00:00:00Z  364 windows of 1d  never run
///
/// Plan: 365 to request; 340 recorded.
/// ```
package struct PlanText: Sendable {
    private let style: TextStyle
    private let rowLimit: Int

    /// Flows that are shown with their windows; further ones get a line each, and further ones still are counted.
    private static let sectionLimit = 12
    private static let lineLimit = 30

    /// - Parameter rowLimit: how many lines of windows are shown, over all flows, about.
    package init(style: TextStyle, rowLimit: Int = 40) {
        self.style = style
        self.rowLimit = rowLimit
    }

    /// The whole view; every line ends in a line break.
    package func render(_ plan: Plan) -> String {
        let counts = plan.counts
        let busy = plan.flows.filter { !$0.isQuiet }
        let early = plan.earlyStarts
        var lines = header(plan, counts)

        let limit = max(4, rowLimit / max(1, min(busy.count, Self.sectionLimit)))
        for flow in busy.prefix(Self.sectionLimit) {
            let section = FlowSection(flow, asOf: plan.asOf, startsEarly: early[flow.id], style: style, limit: limit)
            lines += section.lines + [""]
        }
        let others = busy.dropFirst(Self.sectionLimit)
        if !others.isEmpty { lines += brief(others, early, asOf: plan.asOf) + [""] }
        lines += quiet(plan.flows.filter(\.isQuiet), besides: busy.isEmpty)
        lines += closing(plan, counts)
        return lines.map { $0 + "\n" }.joined()
    }

    private func header(_ plan: Plan, _ counts: PlanCounts) -> [String] {
        let target = printable("\(plan.target.name) (\(plan.target.organization), sandbox \(plan.target.sandbox))")
        let asOf = plan.asOf
        guard counts.requests > 0 else { return wrapped("Plan for target \(target) as of \(asOf)", .plain) + [""] }
        let verb = plan.isApplicable ? "will" : "would"
        let requests = counted(counts.requests, "flow run")
        let used = Mark.allCases.filter { $0.count(in: counts) > 0 }
        return wrapped("Sluice \(verb) request \(requests) from target \(target), planned as of \(asOf):", .plain)
            + ["  " + used.map { "\($0.painted(style)) \($0.meaning)" }.joined(separator: "  "), ""]
    }

    /// One line for each flow that has no section of its own.
    private func brief(
        _ flows: ArraySlice<FlowPlan>, _ early: [FlowID: Duration], asOf: Timestamp
    ) -> [String] {
        var table = TextTable(
            [.init("flow", givesWay: true), .init("id"), .init("planned"), .init("look at", givesWay: true)],
            style: style)
        for flow in flows.prefix(Self.lineLimit) {
            let counts = flow.counts
            let isOdd = early[flow.id] != nil || !OddWindows(flow.actions, asOf: asOf).isEmpty
            let faults = [counts.faults, isOdd ? "odd windows" : ""].filter { !$0.isEmpty }
            table.add([
                .init(flow.title), .init(flow.id.description, .quiet),
                .init((counts.wanted + counts.standing).joined(separator: ", ")),
                .init(faults.joined(separator: ", "), .caution),
            ])
        }
        var lines = table.render().split(separator: "\n").map(String.init)
        let rest = flows.dropFirst(Self.lineLimit)
        if !rest.isEmpty {
            let counts = rest.reduce(PlanCounts()) { $0 + $1.counts }
            let words = (counts.wanted + counts.standing + [counts.faults]).filter { !$0.isEmpty }
            let more = counted(rest.count, "more flow")
            let sum = "\(style.ellipsis) and \(more): \(words.joined(separator: ", ")); see --format json"
            lines += wrapped(sum, .strong)
        }
        return lines
    }

    private func quiet(_ flows: [FlowPlan], besides nothingElse: Bool) -> [String] {
        let recorded = flows.reduce(0) { $0 + $1.recordedCount }
        guard !flows.isEmpty, !nothingElse else { return [] }
        let which = counted(flows.count, "more flow needs", "more flows need")
        return ["\(Mark.recorded.painted(style)) \(which) nothing: \(counted(recorded, "window")) recorded", ""]
    }

    private func closing(_ plan: Plan, _ counts: PlanCounts) -> [String] {
        var lines: [String] = []
        let unverified = plan.unverifiedCount
        if unverified > 0 {
            let note =
                "\(counted(unverified, "flow is", "flows are")) unverified: this ledger has never compared "
                + "\(unverified == 1 ? "it" : "them") with the service. Apply does so first; what it finds can only take "
                + "requests away."
            lines += wrapped(note, .plain) + [""]
        }
        for diagnostic in plan.ownDiagnostics { lines += wrapped(diagnostic.line, .caution) }
        if !counts.faults.isEmpty { lines.append(style.paint(counts.faults, counts.errors > 0 ? .trouble : .caution)) }
        if plan.isApplicable {
            lines += wrapped(counts.summary, .strong)
        } else {
            let errors = counts.errors == 1 ? "error" : "errors"
            lines += wrapped("This plan cannot be applied: mend the \(errors) first.", .trouble)
            lines += wrapped("(\(counts.summary))", .plain)
        }
        return lines
    }

    private func wrapped(_ text: String, _ tone: TextStyle.Tone) -> [String] {
        text.wrapped(to: style.width ?? .max, style).map { style.paint($0, tone) }
    }
}

/// The symbol before a line.
enum Mark: CaseIterable {
    case create, retry, rerun, held, recorded, undeclared

    init(_ kind: PlanEntry.Kind) {
        self =
            switch kind {
            case .create: .create
            case .retry: .retry
            case .rerun: .rerun
            case .held: .held
            }
    }

    func painted(_ style: TextStyle) -> String { style.paint(symbol(style), tone) }

    func symbol(_ style: TextStyle) -> String {
        switch self {
        case .create: "+"
        case .retry: "~"
        case .rerun: style.unicode ? "±" : "&"
        case .held: "!"
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
        case .recorded: "recorded"
        case .undeclared: "undeclared"
        }
    }

    var tone: TextStyle.Tone {
        switch self {
        case .create: .create
        case .retry: .change
        case .rerun: .rerun
        case .held: .trouble
        case .recorded, .undeclared: .quiet
        }
    }

    func count(in counts: PlanCounts) -> Int {
        switch self {
        case .create: counts.create
        case .retry: counts.retry
        case .rerun: counts.rerun
        case .held: counts.held
        case .recorded: counts.recorded
        case .undeclared: counts.undeclared
        }
    }
}
