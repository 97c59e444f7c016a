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
        .text { report, style in
            PlanText(
                report.plan, report.arguments, style, showsDiagnostics: report.showsDiagnostics,
                difference: report.difference
            ).lines
        },
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
