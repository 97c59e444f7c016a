import Applier
import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Manifests
import Planner
import Reports

/// An apply as run from the command line: connects, sends or waits, shows progress and stops on a signal.
struct Application {
    let target: Target
    /// The flows of the embedded simulator, if the target uses it.
    let flows: [SimulatedFlow]
    let command: ApplyCommand

    func apply(_ plan: Plan, _ ledger: TargetLedger, staleness: Applier.Staleness) async throws -> ApplyOutcome {
        let announcement: StyledText =
            "stopping: requests under way are finished and recorded, no more are sent; press Ctrl-C again to end at once"
        let provenance = await Provenance.ofThisProcess(plan.manifests)
        return try await connected(plan, announcement) { service, progress, stop in
            let context = ledger.context(service, stop: stop) { progress.show($0) }
            let applier = Applier(context: context, wireForm: target.wireForm, provenance: provenance)
            return await applier.apply(plan, staleness: staleness)
        }
    }

    /// Waits for every running run of the plan's flows, including runs that another apply requested.
    ///
    /// - Parameters:
    ///   - flows: the flows to wait for, if not those of the plan.
    ///   - forOne: only until one of them has ended.
    func wait(
        _ plan: Plan, of flows: [WatchedFlow]? = nil, _ ledger: TargetLedger, atMost limit: Duration?,
        forOne: Bool = false
    ) async throws -> WaitOutcome {
        try await connected(plan, "no longer waiting: the runs continue on the service") { service, progress, stop in
            let context = ledger.context(service, stop: stop) { progress.show($0) }
            do throws(RefreshError) {
                return try await RunWait(context: context).wait(
                    for: flows ?? plan.flows.map(WatchedFlow.init), atMost: limit, forOne: forOne)
            } catch {
                throw Failure(error)
            }
        }
    }

    private func connected<Result: Sendable>(
        _ plan: Plan, _ announcement: StyledText,
        _ body: @escaping @Sendable (any FlowService, ApplyProgress, StopSignal) async throws -> Result
    ) async throws -> Result {
        let progress = ApplyProgress(plan: plan, format: command.format, output: command.output)
        return try await Signals.stopping(announcing: announcement) { stop in
            let connection = try await Connection.open(target, flows: flows, options: command.service, stop: stop)
            do {
                let result = try await body(connection.service, progress, stop)
                await connection.close()
                return result
            } catch {
                await connection.close()
                throw error
            }
        }
    }
}
