import Applier
import ArgumentParser
import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Manifests
import Reports

struct RefreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Read the service's runs and flows into the ledger.",
        discussion: """
            Records how each run ended, adds runs that were made elsewhere, reads the delta column of each flow, settles \
            runs in doubt, and shows where the service differs from the manifests. Requests no run. Runs that had ended \
            at the last refresh are not read again, except those on the first page; --full reads every run.

            EXAMPLES:
              sluice refresh manifests/
              sluice refresh manifests/ --full
              sluice refresh manifests/ --format json

            \(credentialsHelp)
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var selection: FlowSelection
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<RefreshReport>()
    @Flag(help: "Read every run, including those that had ended at the last refresh.") var full = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output, selection)
        try await Refreshing(
            workspace: workspace, service: service, output: output, format: format, readsAll: full, showsTroubles: true
        ).run()
    }
}

/// A refresh as run from the command line.
struct Refreshing {
    let workspace: Workspace
    let service: ServiceOptions
    let output: OutputOptions
    /// The output format. The text report is written to standard error.
    var format = Format<RefreshReport>()
    /// Options of the progress bar; `nil` for those of the report.
    var progress: OutputOptions?
    /// Whether to reread runs that had already ended.
    var readsAll = false
    /// Whether the report contains the troubles of the flows, as `status` shows them.
    var showsTroubles = false
    /// Whether the command succeeds although a flow is in doubt or cannot be read; a plan made afterwards holds the flow.
    var holdsFlowsAlone = false

    /// Refreshes the flows and prints the differences from the manifests.
    ///
    /// - Parameter stop: The caller's stop signal; if `nil`, SIGINT and SIGTERM are handled here.
    /// - Throws: ``Failure`` if the refresh fails, or after printing if the service contradicts a manifest.
    func run(stop: StopSignal? = nil) async throws {
        let diagnostics = try await read(stop: stop)
        output.printDiagnostics(diagnostics.values.flatMap(\.self).sortedByPlace(), sources: workspace.sources)
        if diagnostics.values.contains(where: \.hasErrors) { throw Failure(.invalid) }
    }

    /// Refreshes the flows.
    ///
    /// - Returns: The differences between the service and the manifest of each flow.
    func read(stop: StopSignal? = nil) async throws -> [FlowID: [Diagnostic]] {
        let target = workspace.target
        let declarations = workspace.flows.selected + workspace.flows.replaced
        let results = try await TargetLedger.with(target, writing: true) { ledger in
            if let stop { return try await refresh(declarations, ledger, stop) }
            return try await Signals.stopping { stop in try await refresh(declarations, ledger, stop) }
        }
        // A replaced flow may no longer exist on the service; its ledger record remains valid.
        let declared = Set(workspace.flows.declared.map(\.id))
        let declaredResults = results.filter { declared.contains($0.flow) }
        var report = RefreshReport(target: target.name, flows: results.map { RefreshReport.Flow($0, workspace.names) })
        if showsTroubles {
            report.status = try await TargetLedger.with(target, writing: false) { ledger in
                try await workspace.status(asOf: SystemTime().now(), ledger: ledger)
            }
        }
        if format.chosen != .text { output.show(report, format) }
        do throws(Failure) {
            let status = try end(of: results, report)
            if format.chosen == .text { output.printNote(report) }
            guard status == .done else { throw Failure(status) }
        } catch {
            output.printDiagnostics(declaredResults.flatMap(\.diagnostics).sortedByPlace(), sources: workspace.sources)
            throw error
        }
        return Dictionary(declaredResults.map { ($0.flow, $0.diagnostics) }) { first, _ in first }
    }

    private func refresh(
        _ declarations: [FlowDeclaration], _ ledger: TargetLedger, _ stop: StopSignal
    ) async throws -> [Refresh.Result] {
        let target = workspace.target
        let progress = Progress("read", output: progress ?? output)
        return try await Connection.with(
            target, flows: workspace.simulatedFlows, options: service, stop: stop
        ) { service in
            let refresh = Refresh(context: ledger.context(service, stop: stop), wireForm: target.wireForm)
            let results = await refresh.run(declarations, readsAll: readsAll) {
                progress.advance(of: declarations.count)
            }
            progress.end()
            return results
        }
    }

    /// The maximum number of errors shown: an unreachable service causes an error for every flow.
    private static let shownErrors = 3

    /// Prints errors and claims in doubt, and returns the exit status.
    private func end(of results: [Refresh.Result], _ report: RefreshReport) throws(Failure) -> ExitStatus {
        var status = ExitStatus.done
        var unread = 0
        for (result, flow) in zip(results, report.flows) {
            switch result.end {
            case .read where holdsFlowsAlone: break
            case .failed(.service(let error)) where holdsFlowsAlone && error.scope == .flow: break
            case .read(let counts) where counts[.inDoubt] > 0:
                let open = counted(counts[.inDoubt], "request is", "requests are")
                Console.printNote("\(flow.title): \(open) still in doubt")
                status = .tryLater
            case .read, .absent: break
            case .stopped: status = .incomplete
            case .failed(.ledger(let error)): throw Failure(error)
            case .failed(.service(let error)):
                if unread < Self.shownErrors { Console.error("\(flow.title): \(error)") }
                if case .unauthorized = error { throw Failure(.unauthorized) }
                unread += 1
                status = .unavailable
            }
        }
        if unread > Self.shownErrors {
            Console.error("\(counted(unread - Self.shownErrors, "more flow")) could not be read")
        }
        return status
    }
}

extension RefreshReport.Flow {
    fileprivate init(_ result: Refresh.Result, _ names: [FlowID: String]) {
        let outcome: RefreshReport.Outcome =
            switch result.end {
            case .read(let counts): .read(counts)
            case .absent: .absent
            case .failed(.ledger(let error)): .failed("\(error)")
            case .failed(.service(let error)): .failed("\(error)")
            case .stopped: .stopped
            }
        self.init(id: result.flow, name: names[result.flow], outcome: outcome, diagnostics: result.diagnostics)
    }
}
