import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Reports

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the recorded runs: time, window, state, and who declared it.",
        discussion: """
            EXAMPLES:
              sluice history manifests/
              sluice history manifests/ --flow contacts --state in-doubt
              sluice history manifests/ --requested-since yesterday
              sluice history manifests/ --since 2024-05-01 --limit 20
              sluice history manifests/ --format json
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<HistoryReport>()
    @Flag(help: "Also show each request and its answer.") var requests = false
    @Option(help: "Only runs in this state, as printed (repeatable).") var state: [RunState] = []
    @Option(help: "Only runs declared by this commit, or by a commit that begins with this text.") var commit: String?
    @Option(
        help: ArgumentHelp("Only windows that end after this time: \(Moment.form).", valueName: "time"),
        transform: Moment.init)
    var since: Moment?
    @Option(
        help: ArgumentHelp("Only windows that start before this time.", valueName: "time"), transform: Moment.init)
    var until: Moment?
    @Option(
        name: .customLong("requested-since"),
        help: ArgumentHelp("Only runs requested at this time or later.", valueName: "time"), transform: Moment.init)
    var requestedSince: Moment?
    @Option(
        name: .customLong("requested-until"),
        help: ArgumentHelp("Only runs requested before this time.", valueName: "time"), transform: Moment.init)
    var requestedUntil: Moment?
    @Option(help: ArgumentHelp("Maximum number of runs, newest first.", valueName: "count")) var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let names = workspace.names
        let entries = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            let known = try await ledger.store.flows().map(\.id)
            let flows = Set(known).union(workspace.flows.declared.map(\.id)).sorted()
            var entries: [LedgerEntry] = []
            for flow in try selection.choose(from: flows, { ($0, names[$0]) }) {
                entries += try await ledger.store.entries(of: flow).entries
            }
            return entries
        }
        let chosen = entries.filter { entry in
            (state.isEmpty || state.contains(entry.run.state))
                && (commit.map { entry.provenance.commit?.hasPrefix($0) ?? false } ?? true)
                && (since.map { (entry.run.window?.end ?? .max) > $0.time } ?? true)
                && (until.map { (entry.run.window?.start ?? .min) < $0.time } ?? true)
                && (requestedSince.map { entry.run.recordedAt >= $0.time } ?? true)
                && (requestedUntil.map { entry.run.recordedAt < $0.time } ?? true)
        }
        let report = HistoryReport(
            chosen, names: names, expectations: workspace.expectations, limit: limit, showsRequests: requests,
            isFiltered: chosen.count < entries.count || !selection.isEmpty)
        output.show(report, format)
    }
}

extension RunState: ExpressibleByArgument {
    public init?(argument: String) { self.init(word: argument) }

    public static var allValueStrings: [String] { allCases.map { $0.inWords.replacing(" ", with: "-") } }
}
