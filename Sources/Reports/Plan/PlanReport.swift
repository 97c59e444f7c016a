import FlowRuns
import Planner

/// A plan in each of its formats.
package struct PlanReport: Sendable {
    package let plan: Plan
    /// The digest of the saved plan, which a reviewer approves; `nil` if the plan was not saved.
    package let digest: String?
    /// Whether the terminal view includes the flows' diagnostics; `false` if they were already printed with their
    /// source lines.
    package var showsDiagnostics = true
    /// What a change of the manifests does to the plan; `nil` if the plan is not compared with another revision.
    package var difference: PlanDifference?
    /// The maximum size of the Markdown in bytes.
    package var maxMarkdownBytes = BoundedMarkdown.maxBytes
    /// Arguments to repeat in suggested commands.
    let arguments: CommandArguments

    package init(_ plan: Plan, digest: String? = nil, arguments: CommandArguments = CommandArguments()) {
        self.plan = plan
        self.digest = digest
        self.arguments = arguments
    }
}

extension PlanReport: Report {
    package static let renderings: [Rendering<PlanReport>] = [
        .text { report, style in PlanText(report, style).lines },
        .json { report, write in writePlan(report.plan, to: write) },
        .markdown { report in PlanMarkdown(report).text },
        .github { report in report.plan.annotations },
    ]
}

extension Plan {
    /// The diagnostics, and a notice for each flow with requests or held windows.
    ///
    /// Many flows share one notice, because GitHub shows at most ten annotations per step.
    var annotations: [WorkflowCommand] {
        let busy = flows.filter { !$0.actions.isEmpty || !$0.held.isEmpty }
        guard busy.count > 8 else { return diagnostics.annotations + busy.map(notice) }
        let words = "\(counts.summary) \(counted(busy.count, "flow")); the job's summary lists them"
        return diagnostics.annotations + [WorkflowCommand(.notice, at: nil, title: "Sluice plan", [words])]
    }

    private func notice(_ flow: FlowPlan) -> WorkflowCommand {
        let words = (flow.counts.requestCounts + flow.counts.skippedCounts).joined(separator: ", ")
        let span = flow.span.map { "; requests cover \($0.text("…")) (\(spanText($0.length)))" } ?? ""
        let unverified = flow.isVerified ? "" : "; not verified"
        return WorkflowCommand(
            .notice, at: flow.place, title: "Sluice plan", ["\(flow.title): \(words)\(span)\(unverified)"])
    }

    /// The destination of the requests. Approving a plan also approves who receives the access token.
    package var destination: String {
        switch target.service {
        case .embedded: "Requests go to the embedded simulator."
        case .address(let address): "Requests and the access token go to \(address)."
        }
    }
}

extension PlanCounts {
    /// The closing line of a plan, such as `Plan: 12 to request, 1 to retry; 1 held, 340 recorded.`
    package var summary: String {
        let rest = skippedCounts.joined(separator: ", ")
        if requests > 0 { return "Plan: \(requestCounts.joined(separator: ", "))\(rest.isEmpty ? "" : "; \(rest)")." }
        guard sum(.errors, .held) + postponed == 0 else {
            return "Nothing to request\(rest.isEmpty ? "" : ": \(rest)")."
        }
        let failures = self[.failed] > 0 ? "; \(grouped(self[.failed])) failed, and no retry is left" : ""
        let others = failures + (self[.undeclared] > 0 ? "; \(counted(self[.undeclared], "undeclared run"))" : "")
        switch self[.recorded] {
        case 0: return "Nothing to do: no window is due\(others)."
        case 1: return "Nothing to do: the only window is recorded\(others)."
        default: return "Nothing to do: all \(grouped(self[.recorded])) windows are recorded\(others)."
        }
    }

    /// The number of missing windows that are postponed as declared.
    var postponed: Int { sum(.paused, .untilTomorrow, .untilRunsEnd, .waiting) }

    /// The counts of requests in words, without zeros.
    var requestCounts: [String] { words([.create, .retry, .rerun]) }

    /// The counts of everything that is not requested in words, without zeros.
    var skippedCounts: [String] {
        words([.held, .paused, .untilTomorrow, .untilRunsEnd, .waiting, .recorded, .undeclared])
    }

    /// The counts of diagnostics, such as `1 error, 2 warnings`; empty if there are none.
    var diagnosticCounts: String {
        [PlanCount.errors, .warnings].filter { self[$0] > 0 }
            .map { counted(self[$0], String($0.rawValue.dropLast())) }.joined(separator: ", ")
    }

    private func words(_ kinds: [PlanCount]) -> [String] {
        kinds.filter { self[$0] > 0 }.map { "\(grouped(self[$0])) \($0.words(in: self))" }
    }
}

extension PlanCount {
    fileprivate func words(in counts: PlanCounts) -> String {
        switch self {
        case .create:
            counts[.windows] > counts[.create] ? "to request (\(grouped(counts[.windows])) windows)" : "to request"
        case .retry: "to retry"
        case .rerun: "to rerun"
        case .untilTomorrow: "over a daily limit"
        case .untilRunsEnd: "over the limit of running runs"
        case .waiting: "waiting for another flow"
        case .recorded: counts[.failed] > 0 ? "recorded (\(grouped(counts[.failed])) failed)" : "recorded"
        default: rawValue
        }
    }
}

extension FlowPlan {
    /// The name, or the ID if the flow has no name.
    var title: String { name ?? id.description }

    /// A suffix such as `, 335 of them by the flow it replaces`; empty if the flow replaces none.
    var replacedText: String {
        guard replacedCount > 0 else { return "" }
        let which = rules.replaced.count == 1 ? "the flow" : "the flows"
        let count = replacedCount == recordedCount ? "" : "\(grouped(replacedCount)) of them "
        return "\(count.isEmpty ? " " : ", ")\(count)by \(which) it replaces"
    }

    /// The order of the requests, such as `newest first, priority 5`; `nil` for the default order.
    var orderText: String? {
        let order = actions.count > 1 && rules.order == .newestFirst ? "newest first" : nil
        let priority = rules.priority == 0 || actions.isEmpty ? nil : "priority \(rules.priority)"
        let words = [order, priority].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    /// Whether all windows are recorded and there is nothing else to mention.
    var isQuiet: Bool {
        actions.isEmpty && held.isEmpty && undeclared.isEmpty && diagnostics.isEmpty && failedCount == 0
    }
}

extension Plan {
    /// A note about flows with requests that were never compared with the service; `nil` if there are none.
    var unverifiedNote: String? {
        let count = flows.count { !$0.isVerified && !$0.actions.isEmpty }
        guard count > 0 else { return nil }
        return "\(counted(count, "flow is", "flows are")) not verified: this ledger has never been compared with the "
            + "service for \(count == 1 ? "it" : "them"). 'sluice apply' compares first, and may then send fewer "
            + "requests, never more."
    }
}
