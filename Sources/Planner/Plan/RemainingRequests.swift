import FlowRuns
import Ledger
import Manifests

/// What the current ledger leaves of a flow's approved requests.
package enum RemainingRequests: Hashable, Sendable {
    /// Some of the requests, or none, are still missing.
    ///
    /// - Parameters:
    ///   - deltaColumn: the delta column if the flow's first request is still to come.
    ///   - isRecut: whether other runs split the window of an approved batch, so that the batch can no longer be requested
    ///     as approved.
    case missing(PlannedActions, deltaColumn: DeltaColumn?, isRecut: Bool)
    /// The requests would break rules now.
    case conflict([Diagnostic])
    /// Something about the flow must be resolved first, such as a request in doubt.
    case held(String)
}

extension Planner {
    /// Plans the approved requests of a flow against the ledger of now. New requests are left to another plan: nothing
    /// that was not approved is returned.
    ///
    /// - Parameters: see ``plan(_:record:runs:replaced:predecessors:)``.
    package func remainder(
        of approved: FlowPlan, record: FlowRecord, runs: some Sequence<RecordedRun>, replaced: [FlowSnapshot] = []
    ) -> RemainingRequests {
        var pass = FlowPass(FlowDemand(approved: approved), replaced: replaced, asOf: asOf)
        pass.consume(Array(runs))
        let current = pass.plan(record: record)
        // A limit may hold the request that an approved rerun needs; that was judged when it was planned.
        let errors = current.diagnostics.filter { $0.severity == .error && $0.code != .rerunOfNothing }
        if !errors.isEmpty { return .conflict(errors) }
        if let held = current.held.first(where: { $0.cause == .doubt }) { return .held(held.reason) }
        return .missing(
            approved.approved(of: current.actions), deltaColumn: current.actions.first?.deltaColumn,
            isRecut: approved.isRecut(by: current.actions))
    }
}

extension FlowPlan {
    /// Whether the complete plan of the flow depends on something still unknown.
    package var isWaiting: Bool {
        held.contains { !$0.cause.isPostponed } || undeclared.contains(where: \.state.isDoubtful)
    }

    /// Whether other requests split the window of an approved batch.
    fileprivate func isRecut(by others: PlannedActions) -> Bool {
        let batches = actions.filter { !$0.members.isEmpty }.map(\.window)
        guard !batches.isEmpty else { return false }
        return others.contains { other in
            other.kind == .create && batches.contains { $0 != other.window && $0.contains(other.window) }
        }
    }

    /// Returns those of the other requests that this plan also contains with the same kind. Both lists are in sending
    /// order.
    fileprivate func approved(of others: PlannedActions) -> PlannedActions {
        var approved = PlannedActions()
        var own = actions.makeIterator()
        var next = own.next()
        for action in others {
            while let known = next, rules.order.isSentBefore(known, action) { next = own.next() }
            guard let known = next, known.key(in: id) == action.key(in: id),
                known.kind == action.kind
            else { continue }
            approved.append(action)
        }
        return approved
    }
}
