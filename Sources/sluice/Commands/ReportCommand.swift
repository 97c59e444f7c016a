import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Reports

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write an HTML page that shows which times each flow has ingested.",
        discussion: """
            EXAMPLE:
              sluice report manifests/ --out coverage.html
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @Option(
        help: "The page to write; - is standard output.", completion: .file(extensions: ["html"]),
        transform: pathArgument)
    var out: String

    func run() async throws {
        let workspace = try Workspace.load(manifests, output, selection)
        let asOf = time.instant()
        let flows = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.flows.planned(asOf: asOf, from: ledger.store) { flow in
                FlowCoverage(
                    flow.plan, runs: flow.runs + flow.replacedRuns,
                    repeated: flow.declaration.repeatedWindows(in: flow.runs), declaration: flow.declaration,
                    refreshedAt: flow.record.contactedAt)
            }
        }
        let target = workspace.target
        let page = CoverageReport(target: target.name, asOf: asOf, flows: flows, runLink: target.runLink)
            .written(.html)
        try FileOutput.write(Array(page.utf8), to: out)
        if out != "-" { output.printNote("wrote \(out): \(counted(flows.count, "flow"))") }
    }
}
