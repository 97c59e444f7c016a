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
        commandName: "refresh", abstract: "Read the service's own runs and flows into the ledger.",
        discussion: """
            Records what became of each run, adopts runs made elsewhere, reads each flow's delta column, resolves doubts, \
            and says where the service disagrees with the manifests. Requests no run. A run that had ended is not read \
            again, unless it stands on the newest page of its flow's runs; --full reads every run.

            EXAMPLES:
              sluice refresh manifests/
              sluice refresh manifests/ --full
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Flag(help: "Read every run, also those that had ended.") var full = false

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        try await Refreshing(workspace: workspace, service: service, output: output, readsAll: full).run()
    }
}

/// One refresh as the command line runs it.
struct Refreshing {
    let workspace: Workspace
    let service: ServiceOptions
    let output: OutputOptions
    /// Also reads runs again that had ended.
    var readsAll = false

    /// - Parameter stop: asks for an end; where it is given, signals are watched by the caller.
    /// - Throws: also when the service disagrees with a manifest, after that was shown.
    func run(stop: StopSignal? = nil) async throws {
        let diagnostics = try await read(stop: stop)
        Workspace.show(diagnostics.values.flatMap(\.self).sortedByPlace(), workspace.sources, output)
        if diagnostics.values.contains(where: \.hasErrors) { throw Failure(.invalid) }
    }

    /// - Returns: where the service disagrees with the manifest of a flow.
    func read(stop: StopSignal? = nil) async throws -> [FlowID: [Diagnostic]] {
        let target = workspace.target
        let declarations = workspace.declarations
        let results = try await TargetLedger.with(target, writing: true) { ledger in
            if let stop { return try await refresh(declarations, ledger, stop) }
            return try await Signals.stopping { stop in try await refresh(declarations, ledger, stop) }
        }
        do { try tell(results) } catch {
            Workspace.show(results.flatMap(\.diagnostics).sortedByPlace(), workspace.sources, output)
            throw error
        }
        return Dictionary(results.map { ($0.flow, $0.diagnostics) }) { first, _ in first }
    }

    private func refresh(
        _ declarations: [FlowDeclaration], _ ledger: TargetLedger, _ stop: StopSignal
    ) async throws -> [Refresh.Result] {
        let target = workspace.target
        let connection = try await Connection.open(
            target, flows: declarations.map(SimulatedFlow.init), options: service, stop: stop)
        let refresh = Refresh(context: ledger.context(connection.service, stop: stop), wireForm: target.wireForm)
        let results = await refresh.run(declarations, readsAll: readsAll)
        await connection.close()
        return results
    }

    /// A service that is not there is not there for every flow.
    private static let shownFaults = 3

    private func tell(_ results: [Refresh.Result]) throws(Failure) {
        let names = workspace.names
        var status = ExitStatus.done
        var (read, new, ended, unread) = (0, 0, 0, 0)
        for result in results {
            let name = names[result.flow] ?? result.flow.description
            switch result.end {
            case .read(let findings, let open):
                read += findings.read
                new += findings.new
                ended += findings.ended
                if open > 0 {
                    Console.say("\(name): \(counted(open, "request")) in doubt")
                    status = .tryLater
                }
            case .absent: break
            case .stopped: status = .incomplete
            case .failed(.ledger(let error)): throw Failure(error)
            case .failed(.service(let error)):
                if unread < Self.shownFaults { Console.error("\(name): \(error)") }
                if case .unauthorized = error { throw Failure(.unauthorized) }
                unread += 1
                status = .unavailable
            }
        }
        if unread > Self.shownFaults { Console.error("\(unread - Self.shownFaults) more flow(s) could not be read") }
        let flows = results.count { if case .read = $0.end { true } else { false } }
        output.say("refreshed \(flows) flow(s): read \(read) run(s), \(new) new, \(ended) ended since the last look")
        guard status == .done else { throw Failure(status) }
    }
}
