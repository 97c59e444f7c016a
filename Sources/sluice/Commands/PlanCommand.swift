import Applier
import ArgumentParser
import FlowService
import GitLedger
import Ledger
import Manifests
import Planner
import Reports
import Text

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show which runs are missing.",
        discussion: """
            Compares the manifests with the ledger. Sends no request and changes nothing; with --refresh it first reads \
            the service's runs into the ledger. Exits with 65 if a manifest or a rule is broken.

            EXAMPLES:
              sluice plan manifests/
              sluice plan manifests/ --flow 'crm-*'       only some flows
              sluice plan manifests/ --out plan.json      save the plan to apply it later
              sluice plan manifests/ --out - | sluice apply -
              sluice plan manifests/ --out plan.json --markdown plan.md  also a comment, planned once
              sluice plan manifests/ --against origin/main  what this branch adds to the plan
              sluice plan manifests/ --format github      annotations for GitHub Actions
              sluice plan manifests/ --detailed-exitcode  exit with 2 if changes are pending
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<PlanReport>()
    @Option(
        help:
            "Save the plan in this file, for 'sluice apply FILE'; - is standard output, and the text goes to standard error.",
        completion: .file(), transform: pathArgument)
    var out: String?
    @Option(
        help: "Also write this file: a comment for a pull request, in Markdown; with errors, those of the manifests.",
        completion: .file(), transform: pathArgument)
    var markdown: String?
    @Option(
        help: ArgumentHelp(
            "Show what the manifests add to the plan, compared with this Git revision, such as origin/main.",
            valueName: "revision"))
    var against: String?
    @Flag(help: "First read the service's runs and flows into the ledger.") var refresh = false
    @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 if requests are missing or held.")
    var detailedExitCode = false

    func run() async throws {
        let asOf = time.instant()
        let workspace = try Workspace.load(
            manifests, output, selection, showsWarnings: true, annotates: format.chosen == .github, dueAt: asOf,
            whenBroken: showBroken)
        let findings =
            refresh ? try await Refreshing(workspace: workspace, service: service, output: output).read() : [:]
        let base = try await base(of: workspace)
        let (plan, difference, firstWaitNotice) = try await TargetLedger.with(workspace.target, writing: false) {
            ledger in
            let plan = try await workspace.flows.plan(asOf: asOf, now: SystemTime().now(), from: ledger.store)
            guard let base, let against else { return (plan, nil as PlanDifference?, ledger.firstWaitNotice) }
            let old = try await base.plan(asOf: asOf, now: SystemTime().now(), from: ledger.store)
            return (plan, PlanDifference(of: plan, from: old, revision: against), ledger.firstWaitNotice)
        }
        let checked = plan.adding(findings)
        try await show(checked, difference, firstWaitNotice, workspace)
    }

    /// Writes and shows the plan, and ends the command with the plan's exit status.
    private func show(
        _ plan: Plan, _ difference: PlanDifference?, _ firstWaitNotice: String?, _ workspace: Workspace
    ) async throws {
        var digest: String?
        if let out { try await FileOutput.write(to: out) { digest = try writePlan(plan, to: $0) } }
        var report = PlanReport(plan, digest: digest, arguments: workspace.arguments)
        report.difference = difference
        if let markdown { try FileOutput.write(Array(report.written(.markdown).utf8), to: markdown) }
        PlanView(report: report, sources: workspace.sources, output: output).show(format, isOutputTaken: isPlanOnOutput)
        if let out, let digest, !isPlanOnOutput {
            output.printNote("plan saved to \(out), \(digest)")
            if plan.isApplicable, plan.requestCount > 0 {
                output.printNote("to send exactly these requests", command: "sluice apply \(shellWord(out))")
            }
        }
        guard plan.isApplicable else { throw Failure(.invalid) }
        if let firstWaitNotice, plan.requestCount > 0, format.chosen == .text {
            output.printNote("\(firstWaitNotice)")
        }
        let isPending = plan.requestCount > 0 || plan.hasPostponedRequests || plan.flows.contains(where: \.isWaiting)
        if detailedExitCode, isPending { throw ExitCode(ExitStatus.changesPending.rawValue) }
    }

    /// Loads the manifests of the revision to compare with; `nil` without such a revision.
    private func base(of workspace: Workspace) async throws -> TargetFlows? {
        guard let against else { return nil }
        let committed: CommittedManifests
        let paths = manifests.paths
        do {
            committed = try await .read(paths, at: against) { paths.contains($0) || ManifestSearch.finds($0) }
        } catch {
            // The repository is that of the manifests; a ledger need not be in it.
            guard case .unusable(let reason) = error else { throw Failure(error) }
            throw Failure(.usage, reason)
        }
        let sources = committed.files.map { SourceFile(path: $0.path, bytes: $0.bytes) }
        let (set, diagnostics) = ManifestLoader().load(sources)
        if diagnostics.hasErrors {
            output.printNote("the manifests at \(against) have errors, so the difference may show too much")
        }
        let declared = set.flows.filter { $0.target == workspace.target.name }
        let selected = Set(workspace.flows.selected.map(\.id))
        return TargetFlows(
            target: workspace.target, declared: declared,
            selected: selection.isEmpty ? declared : declared.filter { selected.contains($0.id) },
            manifests: set.digests)
    }

    /// Writes the diagnostics of broken manifests in the formats of the plan, so that no comment and no summary is empty.
    private func showBroken(_ report: DiagnosticsReport) throws(Failure) {
        let comment = Array(report.written(.markdown).utf8)
        if let markdown { try FileOutput.write(comment, to: markdown) }
        switch format.chosen {
        case .markdown: Console.output(comment)
        case .json: report.write(.json) { Console.output($0) }
        default: break
        }
    }

    /// Whether standard output is for the saved plan alone.
    private var isPlanOnOutput: Bool { out.map(["-", "/dev/stdout", "/dev/fd/1"].contains) ?? false }
}
