import ArgumentParser
import FlowRuns
import FlowService
import Manifests
import Planner
import Reports

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check manifests. Needs neither the service nor a ledger.",
        discussion: """
            Shows all errors and warnings of all files, with their positions. Exits with 65 if there is an error.

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
            ? loadDiagnostics
            : (loadDiagnostics + set.warningsWithoutFlows(set.targets) + Self.overlaps(set)).sortedByPlace()
        if format.chosen == .text {
            output.printDiagnostics(diagnostics, sources: sources)
        } else {
            output.show(DiagnosticsReport(diagnostics, sources: sources), format)
        }
        guard !diagnostics.hasErrors else { throw Failure(.invalid) }
        let (targets, flows) = (counted(set.targets.count, "target"), counted(set.flows.count, "flow"))
        output.printNote("\(counted(sources.count, "file")): \(targets), \(flows), no errors")
    }

    /// Returns what a plan without recorded runs refuses: windows that are declared twice and, as warnings, windows that
    /// overlap. A plan accepts overlapping windows whose runs are recorded already.
    private static func overlaps(_ set: ManifestSet) -> [Diagnostic] {
        let planner = Planner(asOf: SystemTime().now())
        return set.flows.filter { !$0.windows.isEmpty }.flatMap { flow in
            planner.plan(flow, record: FlowRecord(id: flow.id), runs: []).diagnostics.compactMap { diagnostic in
                switch diagnostic.code {
                case .windowDeclaredTwice: diagnostic
                case .windowOverlapsDeclared:
                    Diagnostic(
                        diagnostic.code, .warning, at: diagnostic.place, diagnostic.message,
                        suggestion: diagnostic.suggestion, notes: diagnostic.notes)
                default: nil
                }
            }
        }
    }
}
