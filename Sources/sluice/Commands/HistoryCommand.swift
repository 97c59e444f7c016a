import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Reports

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the recorded runs: when, which window, what became of it, who declared it.",
        discussion: """
            EXAMPLES:
              sluice history manifests/
              sluice history manifests/ --flow contacts --state inDoubt
              sluice history manifests/ --format json
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<HistoryReport>()
    @Flag(help: "Also show each request and the answer to it.") var requests = false
    @Option(
        help: ArgumentHelp("Only runs of this flow, by id or name (repeatable).", valueName: "flow"),
        completion: ManifestCompletion.flows)
    var flow: [String] = []
    @Option(help: "Only runs in this state (repeatable).") var state: [RunState] = []
    @Option(help: "Only runs declared by this commit, or by a commit that begins with this text.") var commit: String?
    @Option(help: ArgumentHelp("Only windows that end after this time.", valueName: "time")) var since: Moment?
    @Option(help: ArgumentHelp("Only windows that start before this time.", valueName: "time")) var until: Moment?

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let flows = try flow.map { try id(of: $0, in: workspace) }
        let entries = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            let wanted = flows.isEmpty ? try await ledger.store.flows().map(\.id) : Set(flows).sorted()
            var entries: [LedgerEntry] = []
            for flow in wanted { entries += try await ledger.store.entries(of: flow).entries }
            return entries
        }
        let chosen = entries.filter { entry in
            (state.isEmpty || state.contains(entry.run.state))
                && (commit.map { entry.provenance.commit?.hasPrefix($0) ?? false } ?? true)
                && (since.map { (entry.run.window?.end ?? .max) > $0.time } ?? true)
                && (until.map { (entry.run.window?.start ?? .min) < $0.time } ?? true)
        }
        let report = HistoryReport(
            chosen, names: workspace.names, showsRequests: requests, isFiltered: chosen.count < entries.count)
        output.show(report, format)
    }

    private func id(of text: String, in workspace: Workspace) throws(Failure) -> FlowID {
        if let flow = FlowID(text) ?? workspace.declarations.first(where: { $0.name == text })?.id { return flow }
        throw Failure(.usage, "--flow '\(text)' is neither a flow id (a UUID) nor the name of a declared flow")
    }
}

extension RunState: ExpressibleByArgument {}
