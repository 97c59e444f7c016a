import FlowRuns
import Manifests
import Planner

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
struct PlanText {
    private let plan: Plan
    private let style: TextStyle

    /// How many lines of windows are shown, over all flows, about.
    private static let rowLimit = 40
    /// Flows that are shown with their windows; further ones get a line each, and further ones still are counted.
    private static let sectionLimit = 12
    private static let lineLimit = 30

    init(_ plan: Plan, _ style: TextStyle) {
        self.plan = plan
        self.style = style
    }

    var lines: [StyledText] {
        let busy = plan.flows.filter { !$0.isQuiet }
        let early = plan.earlyStarts
        let limit = max(4, Self.rowLimit / max(1, min(busy.count, Self.sectionLimit)))
        let sections = busy.prefix(Self.sectionLimit).flatMap { flow in
            FlowSection(flow, asOf: plan.asOf, startsEarly: early[flow.id], style: style, limit: limit).lines + .blank
        }
        let others = brief(busy.dropFirst(Self.sectionLimit), early)
        return header + sections + others + quiet(besides: busy) + closing
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

    /// One line for each flow that has no section of its own.
    private func brief(_ flows: ArraySlice<FlowPlan>, _ early: [FlowID: Duration]) -> [StyledText] {
        guard !flows.isEmpty else { return [] }
        var table = TextTable(
            [.init("flow", givesWay: true), .init("id"), .init("planned"), .init("check", givesWay: true)],
            style: style)
        for flow in flows.prefix(Self.lineLimit) {
            let counts = flow.counts
            let isUnusual = early[flow.id] != nil || !UnusualWindows(flow.actions, asOf: plan.asOf).isEmpty
            let checks = [counts.diagnosticCounts, isUnusual ? "unusual windows" : ""].filter { !$0.isEmpty }
            table.add([
                .init(flow.title), .init(flow.id.description, .quiet),
                .init((counts.wanted + counts.standing).joined(separator: ", ")),
                .init(checks.joined(separator: ", "), .warning),
            ])
        }
        let rest = flows.dropFirst(Self.lineLimit)
        guard !rest.isEmpty else { return table.lines + .blank }
        let counts = rest.reduce(PlanCounts()) { $0 + $1.counts }
        let words = (counts.wanted + counts.standing + [counts.diagnosticCounts]).filter { !$0.isEmpty }
        let more = counted(rest.count, "more flow")
        let sum = "\(style.ellipsis) and \(more): \(words.joined(separator: ", ")); see --format json"
        return table.lines + style.lines(sum, .strong) + .blank
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
        lines += style.lines(counts.diagnosticCounts, counts.errors > 0 ? .error : .warning)
        guard !plan.isApplicable else { return lines + style.lines(counts.summary, .strong) }
        let errors = counts.errors == 1 ? "error" : "errors"
        return lines + style.lines("This plan cannot be applied: fix the \(errors) first.", .error)
            + style.lines("(\(counts.summary))")
    }
}
