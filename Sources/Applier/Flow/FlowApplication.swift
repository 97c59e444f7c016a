import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Applies one flow's plan: look at the service's runs, settle an open claim, check once more what is missing; then
/// claim, send and record, claim by claim, in order of window.
struct FlowApplication {
    /// How many requests in a row may turn out not to have been taken, before an apply leaves the rest for later.
    static let mostVainDoubts = 3

    let plan: FlowPlan
    /// What the service says of the flow; `nil` where nothing is to be sent.
    let checked: Result<ServiceFlow?, FlowEnd>?
    let asOf: Timestamp
    let applier: Applier
    let slots: Slots
    let staleness: Applier.Staleness
    /// The approved reruns' windows that are cut from a series: of a rerun alone, planning anew does not tell.
    let rerunSeriesWindows: Set<Window>

    var comparison: FlowComparison
    /// As it was compared with the service: a claim expects its revision.
    var ledger: FlowLedger
    /// What became of the last requests, not committed yet.
    var pending: [(claim: Claim, outcome: RequestOutcome)] = []
    /// The requests of the open claim that are still to be sent.
    var unsent: ArraySlice<ClaimedRequest> = []
    /// How many requests one claim may cover.
    var mostPerClaim: Int
    /// Requests of this application whose answer was lost.
    var doubted: Set<RunIdentity> = []
    /// Claims of this machine that this ledger does not know, and whose time has been waited for.
    var waitedFor: Set<ClaimID> = []
    /// Failed runs that the service does not re-trigger: the windows after them go on.
    var refusedRetries: [RunKey: FlowEnd] = [:]
    /// How often in a row the service did not take a request.
    var notTaken = 0
    private(set) var accepted = 0
    private var removed = 0
    private var vainDoubts = 0

    init(
        plan: FlowPlan, checked: Result<ServiceFlow?, FlowEnd>?, asOf: Timestamp, applier: Applier, slots: Slots,
        staleness: Applier.Staleness, mostPerClaim: Int
    ) {
        self.plan = plan
        self.checked = checked
        self.asOf = asOf
        self.applier = applier
        self.slots = slots
        self.staleness = staleness
        self.mostPerClaim = mostPerClaim
        rerunSeriesWindows = Set(plan.actions.lazy.filter { $0.rerun != nil && $0.isOfSeries }.map(\.window))
        comparison = FlowComparison(plan.id, acknowledged: plan.rules.acknowledged, applier.context)
        ledger = .empty(plan.id)
    }

    var context: ApplierContext { applier.context }

    /// Never throws: whatever happens becomes part of the outcome.
    mutating func run() async -> FlowOutcome {
        var end = FlowEnd.done
        do throws(FlowEnd) { try await apply() } catch { end = error }
        if let refused = refusedRetries.values.first, end.isDoneOrHeld { end = refused }
        return FlowOutcome(
            flow: plan.id, accepted: accepted, removed: removed, remaining: plan.actions.count - accepted - removed,
            end: end)
    }

    private mutating func apply() async throws(FlowEnd) {
        let flow = try checked?.get()
        guard !context.stop.isRequested else { throw .stopped }
        try await readLedger()
        guard try await !isFinished() else { return }
        try await lookFirst(column: flow?.deltaColumn)
        try await lookAtReplaced()
        while true {
            try await settleOpenClaim()
            let (actions, column) = try await missingActions()
            switch try await send(actions, column) {
            case .all: return
            case .lookAgain: try await lookOnceMore()
            case .inDoubt(let reason):
                let acceptedBefore = accepted
                try await settleOpenClaim()
                if accepted == acceptedBefore { vainDoubts += 1 }
                if vainDoubts >= Self.mostVainDoubts {
                    throw .unavailable("\(vainDoubts) requests in a row failed and were not taken: \(reason)")
                }
                // Somebody else may have settled the doubt, and requested more since.
                try await lookOnceMore()
            }
        }
    }

    private mutating func lookOnceMore() async throws(FlowEnd) {
        try await lookBeforeRequests()
        // Where the ledger was put back, their record was, too.
        try await lookAtReplaced()
    }

    /// A request of the plan was taken, by its answer or found later.
    mutating func noteAccepted() {
        accepted += 1
        notTaken = 0
        vainDoubts = 0
    }

    /// Reads the ledger as it is now. The one before is let go first: there may be a million runs in it.
    mutating func readLedger() async throws(FlowEnd) {
        ledger = .empty(plan.id)
        do { ledger = try await comparison.ledger() } catch { throw context.end(for: error) }
    }

    // MARK: Before sending

    /// Whether each request of a saved plan was made since.
    ///
    /// - Throws: ``FlowEnd/stale(_:)`` when the flow has changed in another way.
    private mutating func isFinished() async throws(FlowEnd) -> Bool {
        guard staleness == .refuse, ledger.record.revision.number != plan.revision else { return false }
        let made = plan.actions.count { action in
            ledger.runs.attempts(at: action.key(in: plan.id)).contains {
                $0.state.isAccepted && $0.identity.attempt >= action.attempt
            }
        }
        noteRemoved(made)
        if made > 0, made == plan.actions.count { return true }
        let kept: FlowEntries
        do { kept = try await context.store.entries(of: plan.id) } catch { throw context.end(for: error) }
        throw .stale(StalePlan(plan: plan, entries: kept.entries).changes)
    }

    /// What of the approved plan is still missing by what the ledger knows now. Whatever is new is left to another
    /// plan: nothing is sent that was not approved.
    ///
    /// - Returns: also the delta column, where the flow's first request is still to come.
    private mutating func missingActions() async throws(FlowEnd) -> (PlannedActions, DeltaColumn?) {
        guard !plan.actions.isEmpty else { return ([], nil) }
        // Nothing is declared here but what was approved.
        let current = Planner(asOf: asOf, listsUndeclared: false).plan(
            plan.approvedDeclaration, record: ledger.record, runs: ledger.runs, replaced: try await replaced())
        // Of what a limit holds back, a rerun may be without its run: that was judged when it was planned.
        let errors = current.diagnostics.filter { $0.severity == .error && $0.code != .rerunOfNothing }
        if !errors.isEmpty { throw .conflict(errors) }
        if let held = current.held.first(where: { $0.cause == .doubt }) { throw .held(held.reason) }
        var actions = plan.approved(of: current.actions)
        if !refusedRetries.isEmpty {
            actions = PlannedActions(actions.filter { refusedRetries[$0.key(in: plan.id)] == nil })
        }
        noteRemoved(plan.actions.count - accepted - refusedRetries.count - actions.count)
        return (actions, current.actions.first?.deltaColumn)
    }

    /// So many of the approved requests have been run already.
    private mutating func noteRemoved(_ count: Int) {
        guard count > removed else { return }
        context.report(.removed(plan.id, count: count - removed))
        removed = count
    }
}

extension FlowEnd {
    fileprivate var isDoneOrHeld: Bool {
        switch self {
        case .done, .held: true
        default: false
        }
    }
}
