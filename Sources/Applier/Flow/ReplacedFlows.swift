import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// The flows that a flow replaces: what they have recorded counts for it, so they are looked at before its first request,
/// as it is itself.
extension FlowApplication {
    /// - Throws: when one of them cannot be read. A request of theirs that stays in doubt holds its own window only.
    func lookAtReplaced() async throws(FlowEnd) {
        for id in plan.rules.replaced {
            var look = FlowApplication(
                plan: plan.ofReplaced(id), checked: nil, asOf: asOf, applier: applier, slots: slots,
                staleness: .reduce, mostPerClaim: mostPerClaim)
            switch await look.run().end {
            case .done, .held: continue
            case let end: throw end
            }
        }
    }

    /// As the ledger has them now.
    func replaced() async throws(FlowEnd) -> [ReplacedFlow] {
        do throws(LedgerError) { return try await context.store.replaced(plan.rules.replaced) } catch {
            throw context.end(for: error)
        }
    }
}

extension LedgerStore {
    /// Flows that another one replaces.
    package func replaced(_ flows: [FlowID]) async throws(LedgerError) -> [ReplacedFlow] {
        var replaced: [ReplacedFlow] = []
        for flow in flows {
            let kept = try await snapshot(of: flow)
            replaced.append(ReplacedFlow(record: kept.record, runs: kept.runs))
        }
        return replaced
    }
}

extension FlowPlan {
    /// A plan that requests nothing of a flow which this one replaces.
    fileprivate func ofReplaced(_ id: FlowID) -> FlowPlan {
        FlowPlan(
            id: id, name: nil, manifest: manifest, owner: owner, source: source,
            rules: FlowRules(acknowledged: rules.acknowledged), place: place, revision: 0, isVerified: false,
            actions: [], held: [], recordedCount: 0, undeclared: [], diagnostics: [])
    }
}
