import ArgumentParser
import FlowRuns
import Ledger
import Manifests
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
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "The page to write.", completion: .file(extensions: ["html"])) var out: String

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let asOf = time.instant()
        let flows = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.planned(asOf: asOf, ledger: ledger) { _, plan, runs in FlowCoverage(plan, runs: runs) }
        }
        let page = CoverageReport(target: workspace.target.name, asOf: asOf, flows: flows).render()
        try FileOutput.write(page, to: out)
        output.say("wrote \(out): \(flows.count) flow(s)")
    }
}
