import Applier
import ArgumentParser
import FlowRuns
import FlowService
import FlowServiceSimulator
import Foundation
import Ledger
import Manifests
import Planner
import Reports
import Text

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Request the missing runs, each window once.",
        discussion: """
            With manifests: plans, shows the plan, and asks before it sends requests. With a plan file: sends exactly the \
            requests of that plan, and refuses if a flow has changed since the plan was made.

            EXAMPLES:
              sluice apply manifests/                      ask before sending
              sluice apply manifests/ --yes                do not ask, for CI
              sluice apply plan.json                       apply a saved plan; - reads it from standard input
              sluice apply manifests/ --yes --wait         wait for the runs
              sluice apply manifests/ --yes --format json  print events as JSON Lines

            \(credentialsHelp)
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format; json prints events as JSON Lines.") var format = Format<EventReport>()
    @Flag(name: .shortAndLong, help: "Do not ask before sending.") var yes = false
    @Option(
        name: .customLong("max-runs"), help: "Refuse a plan with more requests than this. Replaces the target's limit.")
    var maxRuns: Int?
    @Flag(help: "Wait until the runs have ended.") var wait = false
    @Option(
        help: ArgumentHelp(
            "With --wait: the longest time to wait, \(TimeLimit.form). Exits with 75 when it is over.",
            valueName: "duration"), transform: TimeLimit.init)
    var timeout: TimeLimit?

    func validate() throws {
        if let maxRuns, maxRuns < 0 { throw ValidationError("--max-runs cannot be negative") }
        if timeout != nil, !wait { throw ValidationError("--timeout needs --wait") }
    }

    func run() async throws {
        if let asOf = time.asOf, asOf.time > SystemTime().now() {
            throw Failure(
                .usage, "--as-of is in the future: an apply requests windows that have ended; use plan --as-of")
        }
        let files = try ManifestFiles.read(manifests.paths)
        if let plan = try planFile(files) { return try await apply(saved: plan) }
        let workspace = try Workspace.load(
            manifests, output, selection, showsWarnings: true, files: files, dueAt: time.instant())
        // An unconfirmed apply creates no ledger.
        if !yes, TargetLedger.newFile(of: workspace.target) != nil {
            let asOf = time.instant()
            guard try await confirmFirst(workspace, asOf: asOf) else { return }
            return try await apply(workspace, confirmedAsOf: asOf)
        }
        try await apply(workspace, confirmedAsOf: nil)
    }

    /// Plans against a ledger that does not exist yet, and asks for confirmation.
    ///
    /// - Returns: Whether there is anything to send.
    private func confirmFirst(_ workspace: Workspace, asOf: Timestamp) async throws -> Bool {
        let (plan, wait) = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            (try await workspace.plan(asOf: asOf, ledger: ledger), ledger.firstWait)
        }
        show(plan, workspace)
        guard plan.isApplicable else { throw Failure(.invalid) }
        guard plan.requestCount > 0 else {
            _ = finishWithNothingToDo()
            return false
        }
        try check(plan, workspace.target)
        try await confirm(plan, firstWait: wait)
        return true
    }

    /// - Parameter confirmedAsOf: The instant of the plan that was shown and confirmed; `nil` to show and ask.
    private func apply(_ workspace: Workspace, confirmedAsOf: Timestamp?) async throws {
        _ = Self.begun
        var confirmedAsOf = confirmedAsOf
        announceNewLedger(workspace.target)
        try await TargetLedger.with(workspace.target, writing: true) { ledger in
            let application = Application(
                target: workspace.target, flows: workspace.simulatedFlows, command: self)
            let deadline = timeout.map { SystemTime().monotonic() + $0.duration }
            var hasFailed = false
            var goesOn = false
            while true {
                try await refreshRuns(workspace, ledger)
                let (plan, outcome) = try await round(
                    workspace, confirmedAsOf ?? time.instant(), ledger, application, isFirst: true, goesOn: goesOn,
                    isConfirmed: confirmedAsOf != nil)
                confirmedAsOf = nil
                guard wait, ExitStatus(outcome) == .done, plan.isHeldByRunningRuns else {
                    try await end(outcome, plan, ledger, application, until: deadline)
                    guard !hasFailed else { throw ExitCode(ExitStatus.incomplete.rawValue) }
                    return
                }
                // A limit counts the runs of every flow, also of those that were not selected.
                let watched =
                    workspace.target.limits.running == nil ? nil : workspace.allDeclarations.map(WatchedFlow.init)
                let ended = try await application.wait(
                    plan, of: watched, ledger, atMost: deadline.map { $0 - SystemTime().monotonic() }, forOne: true)
                hasFailed = hasFailed || ended.failed > 0
                if ended.ended == 0 {
                    // A window that waits for another flow may need more than the end of running runs.
                    guard ended.running == 0 else { throw ExitCode(ExitStatus.tryLater.rawValue) }
                    guard !hasFailed else { throw ExitCode(ExitStatus.incomplete.rawValue) }
                    return try await end(outcome, plan, ledger, application, until: deadline)
                }
                goesOn = true
            }
        }
    }

    /// Plans, shows the plan, asks for confirmation and sends.
    ///
    /// Applying resolves claims in doubt and finds unrecorded runs. If this allows further requests, they are planned
    /// and sent in a second round.
    ///
    /// - Parameters:
    ///   - goesOn: Whether this round follows the end of a run; a plan without requests is then not shown again.
    ///   - isConfirmed: Whether the plan was shown and confirmed already.
    private func round(
        _ workspace: Workspace, _ asOf: Timestamp, _ ledger: TargetLedger, _ application: Application,
        isFirst: Bool, goesOn: Bool, isConfirmed: Bool = false
    ) async throws -> (Plan, ApplyOutcome) {
        let plan = try await workspace.plan(asOf: asOf, ledger: ledger)
        if goesOn, plan.isApplicable, plan.requestCount == 0, !plan.flows.contains(where: \.isWaiting) {
            return (plan, ApplyOutcome(flows: []))
        }
        if !isConfirmed { show(plan, workspace) }
        guard plan.isApplicable else { throw Failure(.invalid) }
        let isWaiting = isFirst && plan.flows.contains(where: \.isWaiting)
        guard plan.requestCount > 0 || isWaiting else { return (plan, finishWithNothingToDo()) }
        try check(plan, workspace.target)
        if !isConfirmed { try await confirm(plan, firstWait: ledger.firstWait) }
        let outcome = try await application.apply(plan, ledger, staleness: .reduce)
        guard isFirst, outcome.isComplete else { return (plan, outcome) }
        if isWaiting {
            output.say("planning again the windows that were held:")
        } else {
            guard outcome.removed > 0, try await workspace.plan(asOf: asOf, ledger: ledger).requestCount > 0 else {
                return (plan, outcome)
            }
            output.say("planning again what the runs on the service leave to request:")
        }
        return try await round(workspace, asOf, ledger, application, isFirst: false, goesOn: goesOn)
    }

    private func show(_ plan: Plan, _ workspace: Workspace) {
        if format.chosen == .text, !output.quiet || !plan.isApplicable {
            PlanView(
                report: PlanReport(plan, arguments: workspace.arguments), sources: workspace.sources, output: output
            ).show(Format())
        } else if !plan.isApplicable {
            output.tell(plan.diagnostics, workspace.sources)
        }
    }

    // MARK: A saved plan

    /// The bytes of the saved plan, when the arguments name one.
    private func planFile(_ files: ManifestFiles) throws -> [UInt8]? {
        guard let plan = files.savedPlan ?? files.sources.first(where: \.couldBeSavedPlan) else { return nil }
        guard manifests.paths == [plan.path], time.asOf == nil, selection.isEmpty else {
            throw Failure(
                .usage,
                "'\(printable(plan.path))' is a saved plan: give no manifests, no --as-of, --flow or --exclude with it")
        }
        return savedPlanBytes(plan.bytes)
    }

    private func apply(saved bytes: [UInt8]) async throws {
        let plan: Plan
        do { plan = try readPlan(bytes) } catch { throw Failure(.invalid, "\(manifests.paths[0]): \(error)") }
        guard plan.isApplicable else {
            throw Failure(.invalid, "the plan has errors: fix the manifests and plan again")
        }
        let target = plan.target
        if let wanted = manifests.target, wanted != target.name {
            throw Failure(.usage, "the plan is for target '\(target.name)', not for '\(wanted)'")
        }
        output.say("plan \(planDigest(bytes)) of \(manifests.paths[0])")
        if format.chosen == .text, !output.quiet { output.show(PlanReport(plan, arguments: plan.arguments), Format()) }
        try check(plan, target)
        announceNewLedger(target)
        try await TargetLedger.with(target, writing: true) { ledger in
            let application = Application(target: target, flows: plan.simulatedFlows, command: self)
            // A plan without requests may have claims in doubt. The apply settles the claims; the windows held by them
            // need a new plan.
            let outcome =
                plan.requestCount > 0 || plan.flows.contains(where: \.isWaiting)
                ? try await application.apply(plan, ledger, staleness: .refuse) : finishWithNothingToDo()
            let deadline = timeout.map { SystemTime().monotonic() + $0.duration }
            try await end(outcome, plan, ledger, application, until: deadline)
        }
    }

    // MARK: Preparation and completion

    /// Refreshes the runs first if a limit counts running runs, or if flows that others come after have running runs.
    private func refreshRuns(_ workspace: Workspace, _ ledger: TargetLedger) async throws {
        let counted = workspace.target.limits.running == nil ? [] : workspace.allDeclarations.map(\.id)
        var flows: Set<FlowID> = []
        for id in Set(workspace.declarations.flatMap(\.predecessors) + counted) {
            let runs = try await ledger.store.snapshot(of: id).runs
            if runs.contains(where: { $0.state == .accepted || $0.state.isDoubtful }) { flows.insert(id) }
        }
        guard !flows.isEmpty else { return }
        // A flow that is in doubt or cannot be read holds itself, not the others.
        let refreshing = Refreshing(
            workspace: workspace.about(flows), service: service, output: output.silenced, holdsFlowsAlone: true)
        _ = try await refreshing.read()
    }

    /// Warns when the ledger file is new: running from a different folder than `plan` would silently start a second
    /// ledger.
    private func announceNewLedger(_ target: Target) {
        if let path = TargetLedger.newFile(of: target) { output.say("creating a new ledger: \(path)") }
    }

    private func check(_ plan: Plan, _ target: Target) throws {
        if let excess = plan.excess(over: maxRuns ?? target.limits.maxRunsPerApply) {
            throw Failure(.invalid, [excess.message, excess.suggestion].compactMap(\.self).joined(separator: ": "))
        }
    }

    /// Asks for confirmation, after checking that the service accepts the credentials.
    private func confirm(_ plan: Plan, firstWait: Duration?) async throws {
        guard !yes, plan.requestCount > 0 else { return }
        guard Console.isInputTerminal, Console.isErrorTerminal else {
            let arguments = CommandArguments(manifests: manifests.arguments, selection: selection.arguments)
            throw Failure(
                .usage,
                "no terminal to confirm on: pass --yes, or save a plan and apply that: "
                    + arguments.command("plan", "--out plan.json"))
        }
        try await checkService(plan.target)
        let flows = counted(plan.flows.count { !$0.actions.isEmpty }, "flow")
        let target = plan.target
        Console.say(
            """
            Request \(counted(plan.requestCount, "run")) of \(flows) on target '\(target.name)' \
            (\(target.organization), sandbox \(target.sandbox))?
            """)
        Console.say("\(plan.destination) A run cannot be undone.")
        if let firstWait { Console.say(output.errorStyle.lines(firstWaitText(firstWait))) }
        guard Console.ask("Type 'yes' to continue:") == "yes" else {
            throw Failure(.incomplete, "not confirmed, nothing was sent")
        }
    }

    /// Reads one page of flows, so that a wrong credential or address is found before the question.
    private func checkService(_ target: Target) async throws {
        guard case .address = target.service else { return }
        let options = service
        try await Signals.stopping { stop in
            let connection = try await Connection.open(target, flows: [], options: options, stop: stop)
            let failure: FlowServiceError?
            do throws(FlowServiceError) {
                _ = try await connection.service.flows(after: nil)
                failure = nil
            } catch { failure = error }
            await connection.close()
            if let failure { throw Failure(failure) }
        }
    }

    /// Reports that there is nothing to request; with JSON, the closing event is printed too.
    private func finishWithNothingToDo() -> ApplyOutcome {
        let outcome = ApplyOutcome(flows: [])
        if format.chosen == .json {
            output.show(EventReport(.finished(outcome), at: SystemTime().now()), format)
        }
        return outcome
    }

    private func end(
        _ outcome: ApplyOutcome, _ plan: Plan, _ ledger: TargetLedger, _ application: Application,
        until deadline: MonotonicInstant?
    ) async throws {
        JobSummary.add(Array(outcome.markdown(of: plan).source.utf8))
        var status = ExitStatus(outcome)
        if status == .done, wait {
            let left = deadline.map { $0 - SystemTime().monotonic() }
            status = ExitStatus(try await application.wait(plan, ledger, atMost: left))
        }
        if Console.isErrorTerminal, format.chosen == .text, outcome.accepted > 0 {
            sayNextSteps(outcome, plan, isEnded: wait)
        }
        guard status == .done else { throw ExitCode(status.rawValue) }
    }

    /// Names the duration, and the commands that show the runs and how they end.
    private func sayNextSteps(_ outcome: ApplyOutcome, _ plan: Plan, isEnded: Bool) {
        let arguments = CommandArguments(manifests: manifests.arguments, selection: selection.arguments)
        let known = manifests.paths.count == 1 && manifests.paths[0].hasSuffix(".json") ? plan.arguments : arguments
        let took = SystemTime().monotonic() - Self.begun
        output.say("Took \(took.wholeSeconds) s. The runs: \(known.command("history", "--limit \(outcome.accepted)"))")
        output.say("Next: \(known.command("status", isEnded ? "--only-problems" : "--watch"))")
    }

    /// The start of this command.
    private static let begun = SystemTime().monotonic()
}

extension Plan {
    /// Arguments to repeat in suggested commands, for the manifests that the plan was made from.
    var arguments: CommandArguments {
        let paths = manifests.map(\.path)
        // A long list of files is shortened to their common folder.
        let folder = paths.dropFirst().reduce(paths.first.map { parts($0) } ?? []) { common, path in
            ArraySlice(zip(common, parts(path)).prefix { $0 == $1 }.map(\.0))
        }.joined(separator: "/")
        let shown = paths.count <= 3 ? paths : [folder.isEmpty ? "." : folder]
        return CommandArguments(manifests: (shown + ["--target", target.name]).map(shellWord))
    }

    private func parts(_ path: String) -> ArraySlice<Substring> {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    }

    /// The flows of the embedded simulator: every flow of the plan, and the flows that these replace.
    fileprivate var simulatedFlows: [SimulatedFlow] {
        var known = Set(flows.map(\.id))
        return flows.map { SimulatedFlow(id: $0.id, name: $0.name ?? $0.manifest, source: $0.source) }
            + flows.flatMap { flow in
                flow.rules.replaced.filter { known.insert($0).inserted }.map {
                    SimulatedFlow(id: $0, name: flow.manifest, source: flow.source)
                }
            }
    }
}

/// Announces the wait of the first apply on a machine.
func firstWaitText(_ wait: Duration) -> String {
    "The first apply on this machine waits \(wait.wholeSeconds) s before its first request, once for all flows: without a "
        + "record of this machine's requests, the service has to be asked, and it lists a run only after some time."
}
