import Applier
import FlowRuns
import Manifests
import Planner
import Reports

extension FlowOutcome {
    /// A message about how the flow ended; `nil` if all of its requests were made.
    var message: String? {
        let rest = remaining > 0 ? " (\(counted(remaining, "request remains", "requests remain")))" : ""
        switch end {
        case .done: return nil
        case .stale(let why):
            return "not applied, because the flow has changed since the plan: \(why)\(rest); plan again"
        case .conflict(let diagnostics):
            return "not applied: \(diagnostics.map(\.line).joined(separator: "; "))"
        case .unfit(let diagnostics):
            return "not applied: \(diagnostics.map(\.line).joined(separator: "; "))"
        case .unreadable(let reason): return "not applied: \(reason)\(rest)"
        case .refused(let window, let reason):
            return "stopped: the service refused \(window.start) … \(window.end): \(reason)\(rest)"
        case .held(let why): return "held: \(why)\(rest)"
        case .unavailable(let reason): return "the Flow Service is unavailable: \(reason)\(rest)"
        case .unauthorized(let reason): return "\(reason)\(rest)"
        case .ledgerFailed(let error): return "\(error)\(rest)"
        case .stopped:
            return remaining > 0 ? "not applied, because the apply was stopped\(rest)" : nil
        }
    }

    /// The kind of end as one word, for JSON.
    var code: String {
        switch end {
        case .done: "done"
        case .stale: "stale"
        case .conflict: "conflict"
        case .unfit: "unfit"
        case .unreadable: "unreadable"
        case .refused: "refused"
        case .held: "held"
        case .unavailable: "unavailable"
        case .unauthorized: "unauthorized"
        case .ledgerFailed: "ledgerFailed"
        case .stopped: "stopped"
        }
    }
}

extension ApplyOutcome {
    /// The closing line of an apply.
    var summary: String {
        if isComplete, accepted == 0, remaining == 0, removed > 0 {
            let requests = removed == 1 ? "the request was" : "all \(grouped(removed)) requests were"
            return "Nothing to do: \(requests) already made."
        }
        var parts = ["\(counted(accepted, "run")) requested"]
        if removed > 0 { parts.append("\(grouped(removed)) already run") }
        if remaining > 0 { parts.append("\(counted(remaining, "request remains", "requests remain"))") }
        return (isComplete ? "Apply complete: " : "Apply incomplete: ") + parts.joined(separator: ", ") + "."
    }
}

extension ApplyOutcome {
    /// Formats a table of the flows' outcomes for the summary page of a CI job.
    func markdown(of plan: Plan) -> MarkdownText {
        guard !flows.isEmpty else { return "### Target \(code: plan.target.name): nothing to do\n\n" }
        let names = Dictionary(plan.flows.compactMap { flow in flow.name.map { (flow.id, $0) } }) { first, _ in first }
        var text: MarkdownText = "### Target \(code: plan.target.name): \(summary)\n\n"
        text = "\(text)\(MarkdownText.head(["flow", "end", "requested", "remaining"], numbersFrom: 2))"
        for flow in flows.prefix(Self.maxRows) {
            let name = names[flow.flow] ?? flow.flow.description
            let row = MarkdownText.row(
                ["\(name)", "\(flow.message ?? "done")", "\(flow.accepted)", "\(flow.remaining)"])
            text = "\(text)\(row)"
        }
        let more = flows.count - Self.maxRows
        return more > 0 ? "\(text)\n… and \(counted(more, "flow")) more\n\n" : "\(text)\n"
    }

    private static var maxRows: Int { 200 }
}

extension WaitOutcome {
    /// The closing line of a wait.
    var summary: String {
        let parts = WaitCount.allCases.filter { self[$0] > 0 }.map { "\(grouped(self[$0])) \($0.title)" }
        guard !parts.isEmpty else { return "No run is running." }
        return "Waited for \(counted(total, "run")): \(parts.joined(separator: ", "))."
    }
}
