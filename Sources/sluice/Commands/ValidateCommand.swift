import ArgumentParser
import Manifests
import Reports

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check manifests. Needs neither the service nor a ledger.",
        discussion: """
            Shows all errors and warnings of all files, with their places. Exits with 65 if there is an error.

            EXAMPLES:
              sluice validate manifests/
              sluice validate manifests/ --format github     annotations for GitHub Actions
            """)

    @OptionGroup var manifests: ManifestPaths
    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<DiagnosticsReport>()

    func run() throws {
        let files = try ManifestFiles.read(manifests.paths)
        let (set, loadDiagnostics) = try files.load()
        let sources = files.sources
        // Where something could not be read, the flows may be there.
        let diagnostics =
            loadDiagnostics.hasErrors
            ? loadDiagnostics : (loadDiagnostics + set.warningsWithoutFlows(set.targets)).sortedByPlace()
        if format.chosen == .text {
            output.printDiagnostics(diagnostics, sources: sources)
        } else {
            output.show(DiagnosticsReport(diagnostics, sources: sources), format)
        }
        guard !diagnostics.hasErrors else { throw Failure(.invalid) }
        let (targets, flows) = (counted(set.targets.count, "target"), counted(set.flows.count, "flow"))
        output.printNote("\(counted(sources.count, "file")): \(targets), \(flows), no errors")
    }
}
