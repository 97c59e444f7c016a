import Applier
import ArgumentParser
import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner
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
        let target = workspace.target
        let (progress, count) = (Progress("drawn", output: output), workspace.flows.selected.count)
        let flows = try await TargetLedger.with(target, writing: false) { ledger in
            try await workspace.flows.planned(asOf: asOf, now: SystemTime().now(), from: ledger.store) { flow in
                let coverage = FlowCoverage(
                    flow.plan, runs: flow.runs + flow.replacedRuns,
                    repeated: flow.declaration.repeatedWindows(in: flow.runs), declaration: flow.declaration,
                    refreshedAt: flow.record.contactedAt)
                progress.advance(of: count)
                return (coverage, flow.status(asOf: asOf))
            }
        }
        progress.end()
        let status = StatusReport(
            target: target.name, asOf: asOf, flows: flows.map(\.1), arguments: workspace.arguments)
        let page = CoverageReport(
            target: target.name, asOf: asOf, flows: flows.map(\.0), runLink: target.runLink, status: status
        ).written(.html)
        try FileOutput.write(Array(page.utf8), to: out)
        if out != "-" { output.printNote("wrote \(out): \(counted(flows.count, "flow"))") }
    }
}
