import FlowRuns
import FlowService
import Manifests
import Planner

/// The look at every flow before the first request of an apply: whether each is still what its manifest takes it for.
/// A flow that is not stops the whole plan, as any broken rule does.
struct FlowLooks {
    let world: Applier
    let stop: StopSignal
    let specifications: RunSpecifications

    typealias Look = Result<ServiceFlow?, FlowOutcome.Fault>

    /// - Returns: what the service says of each flow, or how the flow ends.
    func look(at flows: [FlowPlan]) async -> [FlowID: Look] {
        var looks: [FlowID: Look] = [:]
        await withTaskGroup(of: (FlowID, Look).self) { group in
            for (index, flow) in flows.enumerated() {
                if index >= world.limits.parallelFlows, let (flow, look) = await group.next() { looks[flow] = look }
                group.addTask { (flow.id, await look(at: flow)) }
            }
            for await (flow, look) in group { looks[flow] = look }
        }
        return looks
    }

    private func look(at plan: FlowPlan) async -> Look {
        if stop.isRequested { return .failure(.init(.stopped)) }
        do throws(FlowRefresh.Failure) {
            let (flow, diagnostics) = try await Preflight(wireForm: world.wireForm).ask(
                plan.approvedDeclaration, world.service, specifications
            )
            guard !diagnostics.hasErrors else { return .failure(.init(.conflict(diagnostics))) }
            for diagnostic in diagnostics { world.report(.noticed(plan.id, diagnostic)) }
            return .success(flow)
        } catch { return .failure(.init(error.end(stop))) }
    }
}

extension FlowRefresh.Failure {
    /// How a flow ends whose service or ledger failed. Both concern every flow, so the others are stopped.
    func end(_ stop: StopSignal) -> FlowOutcome.End {
        stop.request()
        return switch self {
        case .ledger(let error): .ledgerFailed(error)
        case .service(.unauthorized(let reason)): .unauthorized(reason)
        case .service(.stopped): .stopped
        case .service(let error): .unavailable(error.description)
        }
    }
}
