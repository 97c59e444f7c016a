import FlowRuns
import Manifests

extension FlowPlan {
    /// Whether the complete plan of the flow depends on something still unknown.
    package var isWaiting: Bool {
        held.contains { !$0.cause.isPostponed } || undeclared.contains(where: \.state.isDoubtful)
    }

    /// A declaration of exactly the approved requests under the manifest's rules. Planning it against the current
    /// ledger returns those that are still missing, by the same rules that planned them.
    package var approvedDeclaration: FlowDeclaration {
        FlowDeclaration(
            id: id, name: name, manifest: manifest, owner: owner, target: "", source: source,
            deltaColumn: rules.deltaColumn, overlap: rules.overlap, retries: rules.retries,
            order: rules.order,
            windows: Array(
                actions.lazy.filter { $0.rerun == nil }.flatMap { action in
                    action.declaredWindows.map {
                        DeclaredWindow(
                            window: $0, line: UInt32(clamping: action.place.line),
                            column: UInt32(clamping: action.place.column))
                    }
                }),
            batch: .exactly(
                actions.lazy.filter { !$0.members.isEmpty }.map(\.window),
                windows: Set(actions.lazy.filter { $0.rerun == nil && $0.isOfSeries }.flatMap(\.declaredWindows)),
                reruns: Set(actions.lazy.filter { $0.rerun != nil }.map(\.window))),
            // All reruns, including completed ones, because unrecorded runs are matched to reruns in declaration order.
            reruns: rules.reruns,
            acknowledged: rules.acknowledged, replaced: rules.replaced, place: place)
    }

    /// Whether other requests split the window of an approved batch, so that the batch can no longer be requested as
    /// approved.
    package func isRecut(by others: PlannedActions) -> Bool {
        let batches = actions.filter { !$0.members.isEmpty }.map(\.window)
        guard !batches.isEmpty else { return false }
        return others.contains { other in
            other.kind == .create && batches.contains { $0 != other.window && $0.contains(other.window) }
        }
    }

    /// Returns those of the other requests that this plan also contains with the same kind. Both lists are in sending
    /// order.
    package func approved(of others: PlannedActions) -> PlannedActions {
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

extension PlannedAction {
    /// The declared windows of the request: one, or several for a batch.
    fileprivate var declaredWindows: [Window] { members.isEmpty ? [window] : members.flatMap { $0.map(\.self) } }
}
