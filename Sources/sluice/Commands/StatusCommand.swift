import Applier
import ArgumentParser
import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner
import Reports

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how much of each flow is there, and why the rest is not; exit 1 if a person has to act.",
        discussion: """
            One line per flow, trouble first: the share of due time that runs have succeeded for, how far behind the \
            latest data is, and the state with its reason. Below, the troubles by cause, each with what ends it.

            Reads the ledger. With --refresh it first reads the state of the runs from the service; with --watch it does \
            so repeatedly until every run has ended.

            EXAMPLES:
              sluice status manifests/
              sluice status manifests/ --only-problems --all  troubles only, with each run
              sluice status manifests/ --refresh --format markdown
              sluice status manifests/ --watch
              sluice status manifests/ --format openmetrics   for a scraper

            \(credentialsHelp)
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var time: InstantOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<StatusReport>()
    @Flag(help: "First read the service's runs into the ledger.") var refresh = false
    @Flag(name: .customLong("all"), help: "List each run of a trouble.") var listsRuns = false
    @Flag(name: .customLong("only-problems"), help: "Hide flows without troubles.") var onlyProblems = false
    @Flag(help: "Refresh and show the status until every run has ended.") var watch = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output, selection)
        var findings: [FlowID: [Diagnostic]] = [:]
        if refresh, !watch {
            // A request in doubt, and a flow that differs from its manifest, are troubles to show.
            let refreshing = Refreshing(
                workspace: workspace, service: service, output: output.silenced, progress: output, holdsFlowsAlone: true
            )
            findings = try await refreshing.read()
        }
        let report = watch ? try await watchUntilEnded(workspace) : try await report(workspace, findings)
        output.show(report, format)
        if format.chosen == .text, !refresh, !watch, report.running > 0 {
            output.printNote(
                "running as of the last refresh; to read the service",
                command: workspace.arguments.command("status", "--refresh"))
        }
        if report.needsPerson { throw ExitCode(ExitStatus.incomplete.rawValue) }
    }

    private func report(
        _ workspace: Workspace, _ findings: [FlowID: [Diagnostic]] = [:]
    ) async throws -> StatusReport {
        var report = try await TargetLedger.with(workspace.target, writing: false) { ledger in
            try await workspace.status(asOf: time.instant(), ledger: ledger, findings: findings)
        }
        report.listsRuns = listsRuns
        report.onlyProblems = onlyProblems
        return report
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

extension Workspace {
    /// Builds the status of every selected flow from the ledger.
    ///
    /// - Parameter findings: Differences between the service and the manifests, from a refresh.
    func status(
        asOf: Timestamp, ledger: TargetLedger, findings: [FlowID: [Diagnostic]] = [:]
    ) async throws(LedgerError) -> StatusReport {
        let statuses = try await self.flows.planned(
            asOf: asOf, now: SystemTime().now(), from: ledger.store, findings: findings
        ) { $0.status(asOf: asOf) }
        return StatusReport(
            target: target.name, sandbox: "\(target.organization), sandbox \(target.sandbox)", asOf: asOf,
            flows: statuses,
            arguments: arguments)
    }
}

extension TargetFlows.PlannedFlow {
    func status(asOf: Timestamp) -> FlowStatus {
        FlowStatus(
            declaration, plan: plan, runs: runs, replacedRuns: replacedRuns, refreshedAt: record.contactedAt,
            asOf: asOf)
    }
}
