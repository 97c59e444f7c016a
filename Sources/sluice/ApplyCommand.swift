import Applier
import ArgumentParser
import FlowRuns
import FlowServiceSimulator
import Foundation
import Ledger
import Manifests
import Planner
import Reports

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make the missing run requests, each once and only once.",
        discussion: """
            With manifests it plans, shows the plan, and asks before it sends; with a plan file it makes exactly the \
            requests that were reviewed, and refuses when a flow has changed since.

            EXAMPLES:
              sluice apply manifests/                asks on a terminal
              sluice apply manifests/ --yes          does not ask: for CI
              sluice apply plan.json                 a plan kept by 'sluice plan --out'
              sluice apply manifests/ --yes --format json      events as JSON Lines
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "text, or json for events as JSON Lines.") var format: OutputFormat = .text
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @Option(name: .customLong("max-runs"), help: "Refuse a plan of more requests than this, whatever the target says.")
    var maxRuns: Int?

    func validate() throws {
        if let maxRuns, maxRuns < 0 { throw ValidationError("--max-runs cannot be negative") }
    }

    func run() async throws {
        if let file = try planFile() { return try await apply(saved: file) }
        let workspace = try Workspace.load(manifests, output, showsWarnings: true)
        let asOf = try manifests.instant()
        try await Connection.withLedger(workspace.target, writing: true) { ledger in
            var plan = try await workspace.plan(asOf: asOf, ledger: ledger)
            if !plan.isApplicable || format == .text && !output.quiet {
                try PlanView(plan: plan, workspace: workspace, output: output).show(.text)
            }
            guard plan.isApplicable else { throw Failure(.invalid) }
            let isPending = plan.requestCount > 0 || plan.flows.contains(where: \.isWaiting)
            guard isPending else { return finishWithNothingToDo() }
            try check(plan, workspace.target)
            try confirm(plan)

            let application = Application(
                target: workspace.target, flows: workspace.declarations.map(SimulatedFlow.init))
            var outcome = try await application.run(plan, ledger, staleness: .reduce, self)
            // Doubts from an earlier apply are resolved by now: what they held can be planned.
            if outcome.isComplete, plan.flows.contains(where: \.isWaiting) {
                plan = try await workspace.plan(asOf: asOf, ledger: ledger)
                guard plan.isApplicable else {
                    try PlanView(plan: plan, workspace: workspace, output: output).show(.text)
                    throw Failure(.invalid)
                }
                if plan.requestCount > 0 {
                    try check(plan, workspace.target)
                    output.say("what was held is free now:")
                    try PlanView(plan: plan, workspace: workspace, output: output).show(.text)
                    try confirm(plan)
                    outcome = try await application.run(plan, ledger, staleness: .reduce, self)
                }
            }
            try end(outcome)
        }
    }

    // MARK: A saved plan

    /// The bytes of the plan file, when that is what the arguments name.
    private func planFile() throws -> [UInt8]? {
        guard manifests.paths.count == 1, let path = manifests.paths.first, !path.hasSuffix(".yaml"),
            !path.hasSuffix(".yml"), let data = FileManager.default.contents(atPath: path),
            data.first(where: { !" \n\r\t".utf8.contains($0) }) == UInt8(ascii: "{")
        else { return nil }
        return Array(data)
    }

    private func apply(saved bytes: [UInt8]) async throws {
        let plan: Plan
        do { plan = try readPlan(bytes) } catch { throw Failure(.invalid, "\(manifests.paths[0]): \(error)") }
        guard plan.isApplicable else {
            throw Failure(.invalid, "the plan holds errors: mend the manifests and plan again")
        }
        let target = plan.target
        if let wanted = manifests.target, wanted != target.name {
            throw Failure(.usage, "the plan is for target '\(target.name)', not for '\(wanted)'")
        }
        if format == .text, !output.quiet { Console.output(PlanView.text(plan, output)) }
        guard plan.requestCount > 0 else { return finishWithNothingToDo() }
        try check(plan, target)
        try await Connection.withLedger(target, writing: true) { ledger in
            let application = Application(target: target, flows: plan.flows.map(SimulatedFlow.init))
            try end(try await application.run(plan, ledger, staleness: .refuse, self))
        }
    }

    // MARK: Before and after

    private func check(_ plan: Plan, _ target: Target) throws {
        let limit = maxRuns ?? target.limits.maxRunsPerApply
        guard plan.requestCount <= limit else {
            throw Failure(
                .invalid,
                "the plan asks for \(plan.requestCount) runs, and at most \(limit) may be made at once: check that no "
                    + "series starts too early, or raise --max-runs (or spec.limits.maxRunsPerApply of the target)")
        }
    }

    private func confirm(_ plan: Plan) throws {
        guard !yes, plan.requestCount > 0 else { return }
        guard Console.isInputTerminal, Console.isErrorTerminal else {
            throw Failure(
                .usage, "nobody is there to ask: give --yes, or apply a plan file made by 'sluice plan --out'")
        }
        let flows = plan.flows.count { !$0.actions.isEmpty }
        Console.redraw(
            "Request \(plan.requestCount) run(s) of \(flows) flow(s) on target '\(plan.target.name)' "
                + "(\(plan.target.organization), sandbox \(plan.target.sandbox))?\n"
                + "A run cannot be undone. Only 'yes' goes on: ")
        guard readLine()?.trimmingCharacters(in: .whitespaces) == "yes" else {
            throw Failure(.incomplete, "nothing was sent")
        }
    }

    /// Machines get their closing event also when nothing was asked for.
    private func finishWithNothingToDo() {
        guard format == .json else { return }
        Console.output(ApplyEvent.finished(ApplyOutcome(flows: [])).json(at: SystemTime().now()) + "\n")
    }

    private func end(_ outcome: ApplyOutcome) throws {
        let status = ExitStatus(outcome)
        guard status == .done else { throw ExitCode(status.rawValue) }
    }
}

extension SimulatedFlow {
    fileprivate init(_ plan: FlowPlan) {
        self.init(id: plan.flow, name: plan.name ?? plan.manifest, source: plan.source)
    }
}
