import Applier
import ArgumentParser
import FlowService
import FlowServiceSimulator
import Ledger
import Manifests

struct RefreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Read the service's own runs and flows into the ledger.",
        discussion: """
            Records what became of each run, adopts runs made elsewhere, reads each flow's delta column, resolves doubts, \
            and says where the service disagrees with the manifests. Requests no run.

            EXAMPLE:
              sluice refresh manifests/
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        try await Refreshing(workspace: workspace, service: service, output: output).run()
    }
}

/// One refresh as the command line runs it.
struct Refreshing {
    let workspace: Workspace
    let service: ServiceOptions
    let output: OutputOptions

    /// - Parameter stop: asks for an end; where it is given, signals are watched by the caller.
    func run(stop: StopSignal? = nil) async throws {
        let target = workspace.target
        let declarations = workspace.declarations
        let results = try await Connection.withLedger(target, writing: true) { ledger in
            let connection = try await Connection.open(
                target, flows: declarations.map(SimulatedFlow.init), options: service)
            let refresh = Refresh(
                ledger: ledger, service: connection.service, limits: target.limits, wireForm: target.wireForm)
            let results =
                if let stop {
                    await refresh.run(declarations, stop: stop)
                } else {
                    try await Signals.stopping { stop in await refresh.run(declarations, stop: stop) }
                }
            await connection.close()
            return results
        }
        try tell(results)
    }

    private func tell(_ results: [Refresh.Result]) throws(Failure) {
        let names = workspace.names
        Workspace.show(results.flatMap(\.diagnostics).sortedByPlace(), workspace.sources, output)
        var status = ExitStatus.done
        var runs = 0
        for result in results {
            let name = names[result.flow] ?? result.flow.description
            switch result.end {
            case .read(let findings):
                runs += findings.runsFound
                if !findings.unresolved.isEmpty {
                    Console.say("\(name): \(findings.unresolved.count) request(s) are still in doubt")
                    status = .tryLater
                }
            case .locked: output.say("\(name): an apply is at work on it, skipped")
            case .absent: status = .invalid
            case .stopped: status = .incomplete
            case .failed(.ledger(let error)): throw Failure(error)
            case .failed(.service(let error)):
                Console.error("\(name): \(error)")
                if case .unauthorized = error { throw Failure(.unauthorized) }
                status = .unavailable
            }
        }
        output.say("refreshed \(results.count) flow(s), \(runs) run(s) on the service")
        if results.contains(where: { $0.diagnostics.hasErrors }) { status = .invalid }
        guard status == .done else { throw Failure(status) }
    }
}
