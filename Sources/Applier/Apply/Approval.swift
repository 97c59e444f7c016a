import FlowRuns
import Manifests
import Planner

/// What a reviewer approved: a run of this window, for this rerun. The attempt is left out: a request that was surely
/// not taken may be made again as the next attempt.
struct Approval: Hashable {
    private let window: Window?
    private let rerun: String?

    init(_ action: PlannedAction) { self.init(window: action.window, rerun: action.rerun) }
    init(_ identity: RunIdentity) { self.init(window: identity.window, rerun: identity.rerun) }

    private init(window: Window?, rerun: String?) {
        self.window = window
        self.rerun = rerun
    }
}

extension FlowPlan {
    /// Whether something must be found out before all of the flow can be planned.
    package var isWaiting: Bool { !held.isEmpty || undeclared.contains(where: \.state.isDoubtful) }

    /// A declaration of exactly the approved requests under the manifest's rules. Planning it against the ledger of
    /// now tells which of them are still missing, by the very rules that planned them.
    var approvedDeclaration: FlowDeclaration {
        FlowDeclaration(
            id: id, name: name, manifest: manifest, owner: owner, target: "", source: source,
            deltaColumn: rules.deltaColumn, overlap: rules.overlap, retryFailed: rules.retryFailed,
            windows: actions.filter { $0.rerun == nil }.map {
                DeclaredWindow(
                    window: $0.window, line: UInt32(clamping: $0.place.line), column: UInt32(clamping: $0.place.column))
            },
            // All of them, also those that were run: the runs that nobody recorded are counted in their order.
            reruns: rules.reruns,
            acknowledged: rules.acknowledged, place: place)
    }
}
