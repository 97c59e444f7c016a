import Applier
import FlowServiceSimulator
import Ledger
import Manifests
import Planner

/// One apply as the command line runs it: connect, send, show progress, stop on a signal.
struct Application {
    let target: Target
    /// What the embedded simulator has, where the target uses it.
    let flows: [SimulatedFlow]

    func run(
        _ plan: Plan, _ ledger: any Ledger, staleness: Applier.Staleness, _ command: ApplyCommand
    ) async throws -> ApplyOutcome {
        let connection = try await Connection.open(target, flows: flows, options: command.service)
        let progress = ApplyProgress(plan: plan, format: command.format, output: command.output)
        let applier = Applier(
            ledger: ledger, service: connection.service, limits: target.limits, wireForm: target.wireForm,
            provenance: Origin.provenance(), report: { progress.show($0) })
        let outcome = try await Signals.stopping { stop in
            await applier.apply(plan, staleness: staleness, stop: stop)
        }
        await connection.close()
        return outcome
    }
}
