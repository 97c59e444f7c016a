import Applier
import ArgumentParser
import FlowService
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
              sluice plan manifests/ --markdown plan.md   also write a comment for a pull request
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
    @Flag(help: "First read the service's runs and flows into the ledger.") var refresh = false
    @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 if requests are missing or held.")
    var detailedExitCode = false

    func run() async throws {
        let asOf = time.instant()
        let workspace = try Workspace.load(
            manifests, output, selection, showsWarnings: true, annotates: format.chosen == .github,
            comment: markdown, dueAt: asOf)
        let findings =
            refresh ? try await Refreshing(workspace: workspace, service: service, output: output).read() : [:]
        let plan = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.flows.plan(asOf: asOf, now: SystemTime().now(), from: ledger.store)
        }.adding(findings)
        var digest: String?
        if let out { try await FileOutput.write(to: out) { digest = try writePlan(plan, to: $0) } }
        let report = PlanReport(plan, digest: digest, arguments: workspace.arguments)
        if let markdown { try FileOutput.write(Array(report.written(.markdown).utf8), to: markdown) }
        if isPlanOnOutput {
            showOnErrorOutput(report, workspace)
        } else {
            PlanView(report: report, sources: workspace.sources, output: output).show(format)
        }
        if let out, let digest, !isPlanOnOutput {
            output.printNote("plan saved to \(out), \(digest)")
            if plan.isApplicable, plan.requestCount > 0 {
                output.printNote("to send exactly these requests: sluice apply \(shellWord(out))")
            }
        }
        guard plan.isApplicable else { throw Failure(.invalid) }
        let isPending = plan.requestCount > 0 || plan.hasPostponedRequests || plan.flows.contains(where: \.isWaiting)
        if detailedExitCode, isPending { throw ExitCode(ExitStatus.changesPending.rawValue) }
    }

    /// Whether standard output is for the saved plan alone.
    private var isPlanOnOutput: Bool { out.map(["-", "/dev/stdout", "/dev/fd/1"].contains) ?? false }

    private func showOnErrorOutput(_ report: PlanReport, _ workspace: Workspace) {
        var report = report
        if format.chosen == .text {
            output.printDiagnostics(report.plan.diagnostics, sources: workspace.sources)
            report.showsDiagnostics = false
            output.printNote(report)
        } else {
            report.write(format.chosen, output.errorStyle) { Console.printNote($0) }
        }
        if format.chosen == .github { JobSummary.add(Array(report.written(.markdown).utf8)) }
    }
}
