import FlowRuns
import Manifests

/// The runs that a flow should have, and the rules for requesting them: what a ``FlowPass`` plans.
struct FlowDemand {
    /// The rule for requesting adjacent windows as one run.
    enum Batches {
        /// Each window is requested separately.
        case none
        /// Windows of one series are joined into runs of at most this length.
        case upTo(Series.Step)
        /// The windows that completely fill one of these approved batches are joined.
        case exactly([Window])
    }

    let id: FlowID
    let name: String?
    let manifest: String
    let owner: String?
    let source: SourceKind
    let place: Place
    let rules: FlowRules
    /// The active pause; `nil` when none is active.
    let pause: Pause?
    /// The explicit windows.
    let windows: [DeclaredWindow]
    let series: [Series]
    let batches: Batches
    /// The windows among the explicit ones that a plan for approval cut from a series.
    let approvedSeriesWindows: Set<Window>
    /// The windows of approved reruns, of which a plan for approval has decided that they are run once more.
    let approvedReruns: Set<Window>
    /// Whether the plan lists the recorded runs that are not demanded.
    let listsUndeclared: Bool
}

extension FlowDemand {
    /// Demands what a manifest declares.
    init(_ declaration: FlowDeclaration, asOf: Timestamp) {
        self.init(
            id: declaration.id, name: declaration.name, manifest: declaration.manifest, owner: declaration.owner,
            source: declaration.source, place: declaration.place, rules: FlowRules(declaration),
            pause: declaration.pause(at: asOf), windows: declaration.windows, series: declaration.series,
            batches: declaration.batch.map { .upTo($0) } ?? .none, approvedSeriesWindows: [], approvedReruns: [],
            listsUndeclared: true)
    }

    /// Demands exactly the requests of an approved plan. Planning them against the current ledger gives those that are
    /// still missing, by the same rules that planned them.
    init(approved plan: FlowPlan) {
        let requests = plan.actions.lazy.filter { $0.rerun == nil }
        self.init(
            id: plan.id, name: plan.name, manifest: plan.manifest, owner: plan.owner, source: plan.source,
            place: plan.place,
            // All reruns, including completed ones, because unrecorded runs are matched to reruns in declaration order.
            rules: plan.rules, pause: nil,
            windows: requests.flatMap { action in
                action.declaredWindows.map {
                    DeclaredWindow(
                        window: $0, line: UInt32(clamping: action.place.line),
                        column: UInt32(clamping: action.place.column))
                }
            },
            series: [], batches: .exactly(plan.actions.lazy.filter { !$0.members.isEmpty }.map(\.window)),
            approvedSeriesWindows: Set(requests.filter(\.isOfSeries).flatMap(\.declaredWindows)),
            approvedReruns: Set(plan.actions.lazy.filter { $0.rerun != nil }.map(\.window)), listsUndeclared: false)
    }
}

extension PlannedAction {
    /// The declared windows of the request: one, or several for a batch.
    fileprivate var declaredWindows: [Window] { members.isEmpty ? [window] : members.flatMap { $0.map(\.self) } }
}
