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
            "With --wait: the maximum time to wait, \(TimeLimit.form). Exits with 75 when it has passed.",
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
        let saved = try savedPlan(files)
        let begun = SystemTime().monotonic()
        let (end, arguments): (ApplyEnd, CommandArguments)
        if let saved {
            (end, arguments) = (try await apply(saved), saved.arguments)
        } else {
            let workspace = try Workspace.load(
                manifests, output, selection, showsWarnings: true, files: files, dueAt: time.instant())
            (end, arguments) = (try await apply(workspace), workspace.arguments)
        }
        printNextSteps(after: end, since: begun, arguments)
        let status = ExitStatus(end)
        guard status == .done else { throw ExitCode(status.rawValue) }
    }

    private func apply(_ workspace: Workspace) async throws -> ApplyEnd {
        // No ledger is created for a plan that is refused or not confirmed.
        let isNew = TargetLedger.newFile(of: workspace.target) != nil
        let confirmed = isNew ? try await apply(workspace, writing: false) { try await $0.confirm() } : nil
        announceNewLedger(workspace.target)
        return try await apply(workspace, writing: true, confirmed: confirmed) { try await $0.run() }
    }

    private func apply<Result>(
        _ workspace: Workspace, writing: Bool, confirmed: Plan? = nil,
        _ body: (Pipeline<ApplyTerminal>) async throws -> Result
    ) async throws -> Result {
        try await TargetLedger.with(workspace.target, writing: writing) { ledger in
            let interaction = ApplyTerminal(
                command: self, ledger: ledger, simulatedFlows: workspace.simulatedFlows, workspace: workspace,
                confirmed: confirmed)
            return try await interaction.translatingErrors {
                try await body(
                    Pipeline(
                        workspace.flows, ledger: ledger.store, interaction: interaction, options: options(.reduce)))
            }
        }
    }

    /// Prints how long the apply took, and the commands that show its runs and how they end.
    private func printNextSteps(after end: ApplyEnd, since begun: MonotonicInstant, _ arguments: CommandArguments) {
        guard Console.isErrorTerminal, format.chosen == .text, end.apply.accepted > 0 else { return }
        let seconds = (SystemTime().monotonic() - begun).wholeSeconds
        output.printNote(
            "took \(seconds) s; the runs", command: arguments.command("history", "--limit \(end.apply.accepted)"))
        output.printNote(
            "next", command: arguments.command("status", end.wait == nil ? "--watch" : "--only-problems"))
    }

    private func options(_ staleness: Applier.Staleness) -> ApplyOptions {
        let time = time
        return ApplyOptions(
            waits: wait, deadline: timeout.map { SystemTime().monotonic() + $0.duration }, maxRuns: maxRuns,
            staleness: staleness, asOf: { time.instant() })
    }

    /// Warns when the ledger file is new: running from a different folder than `plan` would silently start a second
    /// ledger.
    private func announceNewLedger(_ target: Target) {
        if let path = TargetLedger.newFile(of: target) { output.printNote("creating a new ledger: \(path)") }
    }

    // MARK: A saved plan

    /// The saved plan, when the arguments name one.
    private func savedPlan(_ files: ManifestFiles) throws -> Plan? {
        guard let file = files.savedPlan ?? files.sources.first(where: \.couldBeSavedPlan) else { return nil }
        guard manifests.paths == [file.path], time.asOf == nil, selection.isEmpty else {
            throw Failure(
                .usage,
                "'\(printable(file.path))' is a saved plan: it cannot be combined with manifests, --as-of, --flow or --exclude"
            )
        }
        let bytes = savedPlanBytes(file.bytes)
        let plan: Plan
        do { plan = try readPlan(bytes) } catch { throw Failure(.invalid, "\(manifests.paths[0]): \(error)") }
        guard plan.isApplicable else {
            throw Failure(.invalid, "the plan has errors: fix the manifests and plan again")
        }
        if let name = manifests.target, name != plan.target.name {
            throw Failure(.usage, "the plan is for target '\(plan.target.name)', not for '\(name)'")
        }
        output.printNote("plan \(planDigest(bytes)) of \(manifests.paths[0])")
        return plan
    }

    private func apply(_ plan: Plan) async throws -> ApplyEnd {
        let options = options(.refuse)
        // No ledger is created for a plan that is refused.
        if let excess = options.excess(of: plan) { throw Failure(refusing: excess) }
        announceNewLedger(plan.target)
        return try await TargetLedger.with(plan.target, writing: true) { ledger in
            let interaction = ApplyTerminal(
                command: self, ledger: ledger, simulatedFlows: plan.simulatedFlows, workspace: nil, confirmed: plan)
            return try await interaction.translatingErrors {
                try await Pipeline(
                    TargetFlows(target: plan.target, declared: [], selected: [], manifests: plan.manifests),
                    ledger: ledger.store, interaction: interaction, options: options
                ).run(saved: plan)
            }
        }
    }
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
