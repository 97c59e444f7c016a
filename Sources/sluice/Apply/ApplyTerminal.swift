import Applier
import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Manifests
import Planner
import Reports

/// An apply as run from the command line: shows the plan, asks, connects, shows progress and stops on a signal.
struct ApplyTerminal: ApplyInteraction {
    let command: ApplyCommand
    let ledger: TargetLedger
    /// The flows of the embedded simulator, if the target uses it.
    let simulatedFlows: [SimulatedFlow]
    /// The manifests that are applied; `nil` for a saved plan.
    let workspace: Workspace?
    /// The plan whose requests a person has agreed to; `nil` if there is none yet. A saved plan was approved when it was made.
    let confirmed: Plan?

    private var output: OutputOptions { command.output }

    /// Turns the errors of the pipeline into those of the command.
    func translatingErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch PipelineError.brokenRules(let plan) {
            if command.format.chosen == .text {
                view(plan)
            } else {
                output.printDiagnostics(plan.diagnostics, sources: workspace?.sources ?? [])
            }
            throw Failure(.invalid)
        } catch PipelineError.tooManyRequests(let excess) {
            throw Failure(refusing: excess)
        } catch let error as RefreshError {
            throw Failure(error)
        }
    }

    // MARK: Show and confirm

    func show(_ plan: Plan, in round: ApplyLoop.Round) {
        switch round {
        case .held: output.printNote("re-planning the windows that were held:")
        case .removed: output.printNote("re-planning after new runs were found on the service:")
        case .first, .continued, .saved: break
        }
        guard command.format.chosen == .text, !output.quiet, workspace == nil || !isConfirmed(plan) else { return }
        view(plan)
    }

    private func view(_ plan: Plan) {
        if let workspace {
            let report = PlanReport(plan, arguments: workspace.arguments)
            PlanView(report: report, sources: workspace.sources, output: output).show(Format())
        } else {
            output.show(PlanReport(plan, arguments: plan.arguments), Format())
        }
    }

    /// Asks for confirmation, after a check that the service accepts the credentials.
    func confirm(_ plan: Plan) async throws {
        guard let workspace, !command.yes, plan.requestCount > 0, !isConfirmed(plan) else { return }
        guard Console.isInputTerminal, Console.isErrorTerminal else {
            throw Failure(
                .usage,
                "no terminal to confirm on: pass --yes, or save a plan and apply that: "
                    + workspace.arguments.command("plan", "--out plan.json"))
        }
        try await checkService(of: plan.target)
        let flows = counted(plan.flows.count { !$0.actions.isEmpty }, "flow")
        let target = plan.target
        Console.printNote(
            """
            Request \(counted(plan.requestCount, "run")) of \(flows) on target '\(target.name)' \
            (\(target.organization), sandbox \(target.sandbox))?
            """)
        Console.printNote("\(plan.destination) A run cannot be undone.")
        if let notice = ledger.firstWaitNotice { Console.printNote("\(notice)") }
        guard Console.ask("Type 'yes' to continue:") == "yes" else {
            throw Failure(.incomplete, "not confirmed, nothing was sent")
        }
    }

    /// Whether the plan has the requests that a person has agreed to.
    private func isConfirmed(_ plan: Plan) -> Bool { confirmed.map { $0.hasSameRequests(as: plan) } ?? false }

    /// Reads one page of flows, so that a wrong credential or address is found before the question.
    private func checkService(of target: Target) async throws {
        guard case .address = target.service else { return }
        let options = command.service
        try await Signals.stopping { stop in
            do {
                _ = try await Connection.with(target, options: options, stop: stop) { try await $0.flows(after: nil) }
            } catch let error as FlowServiceError { throw Failure(error) }
        }
    }

    // MARK: Report

    /// Prints an event outside of a connection; only JSON shows those.
    func report(_ event: ApplyEvent) {
        guard command.format.chosen == .json else { return }
        output.show(EventReport(event, at: SystemTime().now()), command.format)
    }

    func summarize(_ outcome: ApplyOutcome, of plan: Plan) {
        JobSummary.add(Array(outcome.markdown(of: plan).source.utf8))
    }

    // MARK: Connect

    func provenance(of plan: Plan) async -> Provenance { await .ofThisProcess(plan.manifests) }

    func refresh(_ flows: TargetFlows) async throws {
        guard let workspace else { return }
        let awaited = Workspace(flows: flows, sources: workspace.sources, arguments: workspace.arguments)
        _ = try await Refreshing(
            workspace: awaited, service: command.service, output: output.silenced, holdsFlowsAlone: true
        ).read()
    }

    func connected<Result: Sendable>(
        to plan: Plan, for purpose: ConnectionPurpose,
        _ body: @escaping @Sendable (ApplierContext) async throws -> Result
    ) async throws -> Result {
        let progress = ApplyProgress(plan: plan, format: command.format, output: output)
        let (ledger, command, simulatedFlows) = (ledger, command, simulatedFlows)
        return try await Signals.stopping(announcing: purpose.announcement) { stop in
            try await Connection.with(plan.target, flows: simulatedFlows, options: command.service, stop: stop) {
                try await body(ledger.context($0, stop: stop) { progress.show($0) })
            }
        }
    }
}

extension Failure {
    /// The refusal of a plan with too many requests.
    init(refusing excess: Diagnostic) {
        self.init(.invalid, [excess.message, excess.suggestion].compactMap(\.self).joined(separator: ": "))
    }
}

extension ConnectionPurpose {
    /// The line that the first signal prints.
    fileprivate var announcement: StyledText {
        switch self {
        case .applying:
            "stopping: requests under way are finished and recorded, no more are sent; press Ctrl-C again to end at once"
        case .waiting: "no longer waiting: the runs continue on the service"
        }
    }
}
