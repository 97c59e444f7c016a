import ArgumentParser
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
import Planner
import Reports

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain what becomes of a flow's windows, and why.",
        discussion: """
            Shows for each window where it is declared, which runs exist, which rule decides, and what the next apply \
            does: why a window is requested, why not, or why it ran twice. Reads the ledger.

            The time is one moment, or a range START..END; without it, the whole flow is explained. Times are \
            \(Moment.form).

            EXAMPLES:
              sluice why contacts 2024-05-01T10:00:00Z manifests/
              sluice why contacts 2024-05-01..2024-05-03 manifests/
              sluice why contacts manifests/ --format json
            """)

    @Argument(help: "The flow: its name or its ID.", completion: ManifestCompletion.flows) var flow: String
    @Argument(
        help: ArgumentHelp("A time or a range START..END, then manifests as for 'plan'.", valueName: "time|path"),
        completion: .file(extensions: ["yaml", "yml"]), transform: pathArgument)
    var paths: [String] = []
    @Option(help: "The target, when the manifests declare several.", completion: ManifestCompletion.targets)
    var target: String?
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<WhyReport>()

    func run() async throws {
        var paths = paths
        var range: Window?
        if let first = paths.first, !FileManager.default.fileExists(atPath: first), first != "-" {
            range = try Self.range(first)
            paths.removeFirst()
        }
        let options = try ManifestOptions.parse((target.map { ["--target", $0] } ?? []) + ["--"] + paths)
        let selection = try FlowSelection.parse(["--flow", flow])
        let workspace = try Workspace.load(options, output.silenced, selection)
        guard workspace.flows.selected.count == 1, let declaration = workspace.flows.selected.first else {
            throw Failure(.usage, "'\(flow)' matches \(counted(workspace.flows.selected.count, "flow")): name one")
        }
        let asOf = time.instant()
        let report = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            var entries: [LedgerEntry] = []
            for id in [declaration.id] + declaration.replaced {
                entries += try await ledger.store.entries(of: id).entries
            }
            let reports = try await workspace.flows.planned(asOf: asOf, now: SystemTime().now(), from: ledger.store) {
                flow in
                WhyReport(
                    declaration, plan: flow.plan,
                    status: flow.status(asOf: asOf),
                    entries: entries, range: range, asOf: asOf, arguments: workspace.arguments)
            }
            return reports.first
        }
        if let report { output.show(report, format) }
    }

    /// Parses a moment, or a range whose bounds are separated by `..` or `/`.
    private static func range(_ text: String) throws -> Window {
        let bounds =
            text.contains("..") ? text.split(separator: "..", maxSplits: 1) : text.split(separator: "/", maxSplits: 1)
        let times = try bounds.map { try Moment(String($0)).time }
        guard let start = times.first else { throw ValidationError("'\(text)' is no time; write \(Moment.form)") }
        let end = times.count > 1 ? times[1] : start + .milliseconds(1)
        guard let range = Window(start: start, end: end) else {
            throw ValidationError("the range '\(text)' ends before or at its start")
        }
        return range
    }
}
