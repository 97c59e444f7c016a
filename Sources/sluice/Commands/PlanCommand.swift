import Applier
import ArgumentParser
import Ledger
import Manifests
import Planner
import Reports

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show which run requests are missing.",
        discussion: """
            Compares the manifests with the ledger. Sends nothing and changes nothing (with --refresh it first reads the \
            service's own runs into the ledger). Exits with 65 when a rule is broken.

            EXAMPLES:
              sluice plan manifests/
              sluice plan manifests/ --out plan.json      for 'sluice apply plan.json'
              sluice plan manifests/ --format markdown    for the pull request
              sluice plan manifests/ --detailed-exitcode  2: changes are pending
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "How it is written.") var format: PlanFormat = .text
    @Option(help: "Also keep the plan in this file, for 'sluice apply FILE'.", completion: .file()) var out: String?
    @Flag(help: "First read the service's own runs and flows into the ledger.") var refresh = false
    @Flag(name: .customLong("detailed-exitcode"), help: "Exit with 2 when requests are missing or held.")
    var detailedExitCode = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output, showsWarnings: true, annotates: format == .github)
        let asOf = time.instant()
        let findings =
            refresh ? try await Refreshing(workspace: workspace, service: service, output: output).read() : [:]
        let plan = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.plan(asOf: asOf, ledger: ledger)
        }.adding(findings)
        let saved = out == nil ? nil : planJSON(plan)
        let digest = saved.map(planDigest)
        try PlanView(plan: plan, digest: digest, workspace: workspace, output: output).show(format)
        if let out, let saved, let digest {
            try FileOutput.write(saved, to: out)
            let use =
                plan.isApplicable && plan.requestCount > 0 ? ": 'sluice apply \(out)' makes exactly these requests" : ""
            output.say("kept in \(out)\(use)\n\(digest)")
        }
        guard plan.isApplicable else { throw Failure(.invalid) }
        let isPending = plan.requestCount > 0 || plan.flows.contains(where: \.isWaiting)
        if detailedExitCode, isPending { throw ExitCode(ExitStatus.changesPending.rawValue) }
    }
}
