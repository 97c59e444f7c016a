import Applier
import ArgumentParser
import FlowRuns
import FlowService
import Ledger
import Manifests
import Reports

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the state of each flow; exit 1 if a run failed or brought too few records.",
        discussion: """
            Reads the ledger. With --refresh it first reads the state of the runs from the service; with --watch it does \
            so repeatedly until every run has ended.

            EXAMPLES:
              sluice status manifests/
              sluice status manifests/ --refresh --format markdown
              sluice status manifests/ --watch
              sluice status manifests/ --format openmetrics   for a scraper
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<StatusReport>()
    @Flag(help: "First read the service's runs into the ledger.") var refresh = false
    @Flag(help: "Refresh and show the status until every run has ended.") var watch = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output, selection)
        if refresh, !watch { try await Refreshing(workspace: workspace, service: service, output: output).run() }
        let report = watch ? try await watchUntilEnded(workspace) : try await report(workspace)
        output.show(report, format)
        if format.chosen == .text, !refresh, !watch, report.running > 0 {
            output.printNote(
                "running as of the last refresh; to ask the service: \(workspace.arguments.command("status", "--refresh"))"
            )
        }
        if report.anyFailed || report.anyTooFewRecords { throw ExitCode(ExitStatus.incomplete.rawValue) }
    }

    /// Builds the status of every selected flow from the ledger.
    private func report(_ workspace: Workspace) async throws -> StatusReport {
        let asOf = time.instant()
        let flows = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.flows.planned(asOf: asOf, from: ledger.store) { flow in
                FlowStatus(
                    flow.declaration, plan: flow.plan, runs: flow.runs, replacedRuns: flow.replacedRuns,
                    refreshedAt: flow.record.contactedAt, asOf: asOf)
            }
        }
        return StatusReport(
            target: workspace.target.name, asOf: asOf, flows: flows, arguments: workspace.arguments)
    }

    /// Refreshes with increasing pauses until no run is running.
    ///
    /// On a terminal, each status overwrites the last one; elsewhere, each poll prints a line.
    private func watchUntilEnded(_ workspace: Workspace) async throws -> StatusReport {
        let refreshing = Refreshing(workspace: workspace, service: service, output: output.silenced)
        let command = self
        let draws = Console.isOutputTerminal && format.chosen == .text
        return try await Signals.stopping { stop in
            // The caller prints the whole status on the cleared screen.
            defer { if draws { Console.clearScreen() } }
            var pause = Duration.seconds(2)
            while true {
                var isOpen = false
                do { try await refreshing.run(stop: stop) } catch let failure as Failure
                    where failure.status == .tryLater
                {
                    // The refresh has already printed a message. Keep watching: claims in doubt are settled soon.
                    isOpen = true
                } catch { if !stop.isRequested { throw error } }
                let report = try await command.report(workspace)
                if report.running == 0 && !isOpen || stop.isRequested { return report }
                if draws {
                    let frame = report.frame(command.output.style, rows: Console.height, pause: pause)
                    Console.output(frame.overdrawn)
                } else if report.running > 0 {
                    command.output.printNote("\(counted(report.running, "run is", "runs are")) still running")
                }
                await SystemTime().pause(pause, unless: stop)
                if stop.isRequested { return report }
                pause = min(.seconds(60), pause * 3 / 2)
            }
        }
    }
}
