import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Reports

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the recorded runs: what was sent, what came back, who declared it.",
        discussion: """
            EXAMPLES:
              sluice history manifests/
              sluice history manifests/ --flow 3abea21c-7e36-4be1-bec1-d3bad0e3e0de --state inDoubt
              sluice history manifests/ --format json
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "text, json or markdown.") var format: OutputFormat = .text
    @Flag(help: "Also show what was sent and what came back.") var requests = false
    @Option(help: "Only this flow's runs (repeatable).") var flow: [String] = []
    @Option(
        help: ArgumentHelp(
            "Only runs in this state (repeatable): \(RunState.allCases.map(\.rawValue).joined(separator: ", "))."))
    var state: [String] = []
    @Option(help: "Only runs declared by this commit, or by one that begins so.") var commit: String?
    @Option(help: "Only windows that end after this time.") var since: String?
    @Option(help: "Only windows that start before this time.") var until: String?

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let flows = try flow.map { text in
            guard let flow = FlowID(text) else { throw Failure(.usage, "--flow '\(text)' is not a UUID") }
            return flow
        }
        let states = try state.map { word in
            guard let state = RunState(rawValue: word) else { throw Failure(.usage, "--state '\(word)' is no state") }
            return state
        }
        let since = try self.since.map(instant)
        let until = try self.until.map(instant)
        let entries = try await Connection.withLedger(workspace.target, writing: false) { ledger in
            try await ledger.entries(of: flows.isEmpty ? nil : flows)
        }
        let chosen = entries.filter { entry in
            (states.isEmpty || states.contains(entry.run.state))
                && (commit.map { entry.provenance.commit?.hasPrefix($0) ?? false } ?? true)
                && (since.map { (entry.run.window?.end ?? .max) > $0 } ?? true)
                && (until.map { (entry.run.window?.start ?? .min) < $0 } ?? true)
        }
        let names = workspace.names
        switch format {
        case .text, .github:
            Console.output(
                HistoryText(style: output.style, names: names, showsRequests: requests).render(chosen))
        case .json: writeHistory(chosen) { Console.output($0) }
        case .markdown: Console.output(HistoryMarkdown(names: names).render(chosen))
        }
    }

    private func instant(_ text: String) throws -> UnixSeconds {
        var options = ManifestOptions()
        options.asOf = text
        return try options.instant()
    }
}
