import FlowRuns
import Manifests
import Planner

/// The terminal view of a plan: grouped by flow, with folded series, notable requests on separate lines, and a closing
/// line with the counts.
///
/// The view is about one screen long, regardless of the size of the plan.
///
/// ```
/// contacts  3abea21c-7e36-4be1-bec1-d3bad0e3e0de  flows/crm.yaml:14
///   + 2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z  1d                 first run of the flow: carries the delta column ID
///   + 2024-01-02T00:00:00Z … 2024-12-31T00:00:00Z  364 windows of 1d  never run
///
/// Plan: 365 to request; 340 recorded.
/// ```
struct PlanText {
    private let plan: Plan
    private let arguments: CommandArguments
    private let style: TextStyle
    private let showsDiagnostics: Bool
    private let difference: PlanDifference?

    /// The approximate maximum number of window lines, over all flows.
    private static let rowLimit = 40
    /// The maximum number of flows with a section of their own. If there are more flows, only those that a reviewer
    /// should check have a section; the others have one line each, and the rest is counted.
    private static let sectionLimit = 12
    private static let lineLimit = 40

    /// Creates a view.
    ///
    /// - Parameters:
    ///   - arguments: Arguments to repeat in suggested commands.
    ///   - showsDiagnostics: Whether to include the flows' diagnostics, because they are not shown elsewhere.
    ///   - difference: What a change does to the plan, to be shown instead of the whole plan.
    init(
        _ plan: Plan, _ arguments: CommandArguments, _ style: TextStyle, showsDiagnostics: Bool = true,
        difference: PlanDifference? = nil
    ) {
        self.difference = difference
        self.plan = plan
        self.arguments = arguments
        self.style = style
        self.showsDiagnostics = showsDiagnostics
    }

    var lines: [StyledText] {
        if let difference { return header + difference.lines(style) + closing }
        let busy = plan.flows.filter { !$0.isQuiet }
        let early = plan.earlyStarts
        let isShort = busy.count <= Self.sectionLimit
        let detailed = Set(
            busy.lazy.filter { isShort || needsAttention($0, startingEarly: early) }.prefix(Self.sectionLimit).map(\.id)
        )
        let limit = max(4, Self.rowLimit / max(1, detailed.count))
        let sections = busy.filter { detailed.contains($0.id) }.flatMap { flow in
            FlowSection(
                flow, asOf: plan.asOf, startsEarly: early[flow.id], arguments: arguments, style: style,
                limit: limit, showsDiagnostics: showsDiagnostics
            ).lines + .blank
        }
        let others = brief(busy.filter { !detailed.contains($0.id) }, startingEarly: early)
        return header + sections + others + quiet(besides: busy) + closing
    }

    /// Checks whether a flow has more to review than the number of its requests.
    private func needsAttention(_ flow: FlowPlan, startingEarly early: [FlowID: Duration]) -> Bool {
        let counts = flow.counts
        return !flow.diagnostics.isEmpty || counts[.held] + counts[.failed] + counts[.retry] + counts[.rerun] > 0
            || early[flow.id] != nil || !UnusualWindows(flow.actions, asOf: plan.asOf).isEmpty
    }

    private var header: [StyledText] {
        let counts = plan.counts
        let target = "\(plan.target.name) (\(plan.target.organization), sandbox \(plan.target.sandbox))"
        guard counts.requests > 0 else {
            return style.lines("Plan for target \(target) as of \(plan.asOf)") + .blank
        }
        let verb = plan.isApplicable ? "will" : "would"
        let requests = counted(counts.requests, "flow run")
        let symbols = PlanSymbol.allCases.filter { $0.count(in: counts) > 0 }
        let legend: [StyledText] = symbols.map { "\($0.painted(style)) \($0.meaning)" }
        let title = "Sluice \(verb) request \(requests) from target \(target), planned as of \(plan.asOf)."
        let symbolLine: StyledText = "  \(legend.joined(separator: "  "))"
        return style.lines(title) + style.lines(plan.destination) + [symbolLine] + .blank
    }

    /// Formats one line for each flow without a section.
    private func brief(_ flows: [FlowPlan], startingEarly early: [FlowID: Duration]) -> [StyledText] {
        guard !flows.isEmpty else { return [] }
        let shown = flows.prefix(Self.lineLimit)
        let withIDs = table(shown, early, showsIDs: true)
        let table = withIDs.fits ? withIDs : table(shown, early, showsIDs: false)
        let rest = flows.dropFirst(Self.lineLimit)
        guard !rest.isEmpty else { return table.lines + .blank }
        let counts = rest.reduce(PlanCounts()) { $0 + $1.counts }
        let words = (counts.requestCounts + counts.skippedCounts + [counts.diagnosticCounts]).filter { !$0.isEmpty }
        let more = counted(rest.count, "more flow")
        let sum = "\(style.ellipsis) and \(more): \(words.joined(separator: ", ")); see --format json"
        return table.lines + style.lines(sum, .strong) + .blank
    }

    private func table(
        _ flows: ArraySlice<FlowPlan>, _ early: [FlowID: Duration], showsIDs: Bool
    ) -> TextTable {
        let checks = flows.map { flow in
            let isUnusual = early[flow.id] != nil || !UnusualWindows(flow.actions, asOf: plan.asOf).isEmpty
            let firstRun = flow.firstColumn.map { "first run: \($0.name)" } ?? ""
            return [flow.counts.diagnosticCounts, isUnusual ? "unusual windows" : "", firstRun]
                .filter { !$0.isEmpty }.joined(separator: ", ")
        }
        let showsChecks = checks.contains { !$0.isEmpty }
        var columns = [TextTable.Column("flow", isShrinkable: true)]
        if showsIDs { columns.append(.init("id")) }
        columns.append(.init("planned"))
        if showsChecks { columns.append(.init("check", isShrinkable: true)) }
        var table = TextTable(columns, style: style)
        for (flow, check) in zip(flows, checks) {
            let id: [TextTable.Cell] = showsIDs ? [.init(flow.id.description, .quiet)] : []
            let counts = flow.counts
            let planned = (counts.requestCounts + counts.skippedCounts).joined(separator: ", ")
            table.add([.init(flow.title)] + id + [.init(planned), .init(check, .warning)])
        }
        return table
    }

    private func quiet(besides busy: [FlowPlan]) -> [StyledText] {
        let flows = plan.flows.filter(\.isQuiet)
        guard !flows.isEmpty, !busy.isEmpty else { return [] }
        let recorded = counted(flows.reduce(0) { $0 + $1.recordedCount }, "window")
        let which = counted(flows.count, "more flow is", "more flows are")
        let line: StyledText = "\(PlanSymbol.recorded.painted(style)) \(which) up to date: \(recorded) recorded"
        return [line] + .blank
    }

    private var closing: [StyledText] {
        let counts = plan.counts
        var lines: [StyledText] = []
        if let note = plan.unverifiedNote { lines += style.lines(note) + .blank }
        for diagnostic in plan.ownDiagnostics { lines += style.lines(diagnostic.line, .warning) }
        lines += style.lines(counts.diagnosticCounts, counts[.errors] > 0 ? .error : .warning)
        guard !plan.isApplicable else { return lines + style.lines(counts.summary, .strong) }
        let errors = counts[.errors] == 1 ? "error" : "errors"
        return lines + style.lines("This plan cannot be applied: fix the \(errors) first.", .error)
            + style.lines("(\(counts.summary))")
    }
}
