import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

extension LedgerStore {
    /// What of the ledger counts against the limits.
    ///
    /// - Parameters:
    ///   - declared: the flows whose runs under way count.
    ///   - acknowledged: runs that do not count as running: see ``RunUsage``.
    ///   - time: its day counts.
    package func usage(
        _ declared: [FlowID], acknowledged: Set<RunID>, at time: Timestamp
    ) async throws(LedgerError) -> RunUsage {
        var usage = RunUsage(at: time)
        let declared = Set(declared)
        for record in try await flows() {
            let runs = try await snapshot(of: record.id).runs
            usage.add(runs, of: record.id, countsUnderWay: declared.contains(record.id), acknowledged: acknowledged)
        }
        return usage
    }
}

extension ApplierContext {
    /// By the service's clock, where it tells the time.
    func usage(of plan: Plan) async throws(RefreshError) -> RunUsage {
        do throws(LedgerError) {
            return try await store.usage(
                plan.flows.map(\.id), acknowledged: Set(plan.flows.flatMap { $0.rules.acknowledged.somebodyElses }),
                at: service.serviceTime()?.latest ?? time.now())
        } catch { throw .ledger(error) }
    }

    /// Where a limit counts the runs that are under way, it must be known which have ended.
    func readRunsUnderWay(of plan: Plan) async throws(RefreshError) {
        guard plan.target.limits.running != nil else { return }
        for flow in plan.flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.rules.acknowledged, self)
            guard try await comparison.ledger().runs.contains(where: \.isUnderWay) else { continue }
            comparison.readsRunsUnderWay = true
            do throws(RefreshError) { _ = try await comparison.compare() } catch .service(let error) {
                // A flow that cannot be read is held when its turn comes.
                if case .flow = error.scope { continue }
                throw .service(error)
            }
        }
    }
}

extension Plan {
    /// An outcome for each flow with requests that `limited` holds back: they remain.
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
