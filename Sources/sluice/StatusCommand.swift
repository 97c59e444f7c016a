import Applier
import ArgumentParser
import FlowRuns
import Ledger
import Manifests
import Reports

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show at a glance where each flow stands; exit 1 when a run failed.",
        discussion: """
            Reads the ledger. With --refresh it first asks the service what became of the runs; --watch does so again and \
            again, until every run has ended.

            EXAMPLES:
              sluice status manifests/
              sluice status manifests/ --refresh --format markdown
              sluice status manifests/ --watch
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "text, json or markdown.") var format: OutputFormat = .text
    @Flag(help: "First read the service's own runs into the ledger.") var refresh = false
    @Flag(help: "Refresh and show again until every run has ended.") var watch = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        if refresh, !watch { try await Refreshing(workspace: workspace, service: service, output: output).run() }
        let asOf = try manifests.instant()
        let flows = watch ? try await watchUntilEnded(workspace) : try await Self.flows(workspace, asOf)
        if !watch || !Console.isOutputTerminal { show(flows, workspace, asOf) }
        if flows.anyFailed { throw ExitCode(ExitStatus.incomplete.rawValue) }
    }

    /// The status of every declared flow, from the ledger.
    static func flows(_ workspace: Workspace, _ asOf: UnixSeconds) async throws -> [FlowStatus] {
        try await Connection.withLedger(workspace.target, writing: false) { ledger in
            try await workspace.planned(asOf: asOf, ledger: ledger) { declaration, plan, runs in
                FlowStatus(declaration, plan: plan, runs: runs, asOf: asOf)
            }
        }
    }

    private func show(_ flows: [FlowStatus], _ workspace: Workspace, _ asOf: UnixSeconds) {
        let report = StatusReport(target: workspace.target.name, asOf: asOf, flows: flows)
        switch format {
        case .text, .github: Console.output(report.text(output.style))
        case .json: Console.output(report.json())
        case .markdown: Console.output(report.markdown())
        }
    }

    /// Redraws in place on a terminal, prints a line a look elsewhere; asks less often the longer it waits.
    private func watchUntilEnded(_ workspace: Workspace) async throws -> [FlowStatus] {
        let refreshing = Refreshing(workspace: workspace, service: service, output: output.silenced)
        let command = self
        return try await Signals.stopping { stop in
            var pause: UnixMilliseconds = 2000
            while true {
                do { try await refreshing.run(stop: stop) } catch { if !stop.isRequested { throw error } }
                let asOf = try command.manifests.instant()
                let flows = try await Self.flows(workspace, asOf)
                if Console.isOutputTerminal {
                    Console.output("\u{1B}[H\u{1B}[2J")
                    command.show(flows, workspace, asOf)
                }
                let running = flows.reduce(0) { $0 + $1.running }
                if running == 0 || stop.isRequested { return flows }
                if !Console.isOutputTerminal { command.output.say("\(running) run(s) are under way") }
                await SystemTime().pause(pause, unless: stop)
                if stop.isRequested { return flows }
                pause = min(60_000, pause * 3 / 2)
            }
        }
    }
}
