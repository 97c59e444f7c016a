import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

extension ApplierContext {
    /// Counts the ledger's runs at the service's current time, or at this machine's time if the service's is unknown.
    func usage(of plan: Plan) async throws(RefreshError) -> RunUsage {
        do throws(LedgerError) {
            return try await store.usage(
                plan.flows.map(\.id), acknowledged: Set(plan.flows.flatMap { $0.rules.acknowledged.foreignRunIDs }),
                at: service.serviceTime()?.latest ?? time.now())
        } catch { throw .ledger(error) }
    }

    /// Reads which unfinished runs have ended, if a limit counts running runs.
    func readRunsUnderWay(of plan: Plan) async throws(RefreshError) {
        guard plan.target.limits.running != nil else { return }
        for flow in plan.flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.rules.acknowledged, self)
            guard try await comparison.ledger().runs.contains(where: \.isUnderWay) else { continue }
            comparison.readsRunsUnderWay = true
            do throws(RefreshError) { _ = try await comparison.compare() } catch .service(let error) {
                // An unreadable flow is held later, when it is applied.
                if case .flow = error.scope { continue }
                throw .service(error)
            }
        }
    }
}

extension Plan {
    /// Returns the number of requests that `limited` postpones, for each flow that has any.
    fileprivate func remaining(_ limited: Plan) -> [(FlowID, Int)] {
        let kept = Dictionary(limited.flows.map { ($0.id, $0.actions.count) }) { first, _ in first }
        return flows.map { ($0.id, $0.actions.count - kept[$0.id, default: 0]) }.filter { $0.1 > 0 }
    }

    func heldBack(by limited: Plan) -> [FlowOutcome] {
        remaining(limited).map { flow, count in
            FlowOutcome(flow: flow, accepted: 0, removed: 0, remaining: count, end: .done)
        }
    }
}
