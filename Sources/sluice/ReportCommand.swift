import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Planner
import Reports

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a self-contained page with a picture of the time each flow has covered.",
        discussion: """
            EXAMPLE:
              sluice report manifests/ --out coverage.html
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "The page to write.", completion: .file(extensions: ["html"])) var out: String

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let asOf = try manifests.instant()
        let flows = try await Connection.withLedger(workspace.target, writing: false) { ledger in
            var flows: [FlowCoverage] = []
            for declaration in workspace.declarations {
                let record = try await ledger.record(of: declaration.flow)
                let runs = try await ledger.runs(of: declaration.flow)
                let plan = Planner(asOf: asOf).plan(declaration, record: record, runs: runs)
                flows.append(FlowCoverage(plan, runs: runs))
            }
            return flows
        }
        let page = CoverageReport(target: workspace.target.name, asOf: asOf, flows: flows).render()
        try FileOutput.write(page, to: out)
        output.say("wrote \(out): \(flows.count) flow(s)")
    }
}
