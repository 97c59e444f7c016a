import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Applies one flow's plan, in the order of the page *How a window is sent once*: reconcile with the service, settle an
/// open claim, find which approved requests are still missing; then claim, send and record them, claim by claim, in order
/// of window.
struct FlowApplier {
    /// Maximum consecutive requests in doubt that turn out not to have been taken, before the apply gives up on the flow.
    private static let maxConsecutiveReleases = 3

    private let plan: FlowPlan
    /// The flow as the service describes it, or why nothing may be sent; `nil` where nothing is to be sent.
    private let preflight: Result<ServiceFlow?, FlowEnd>?
    private let asOf: Timestamp
    private let applier: Applier
    private let slots: Slots
    private let staleness: Applier.Staleness
    /// The approved reruns' windows that are cut from a series: planning a rerun alone cannot tell.
    private let rerunSeriesWindows: Set<Window>

    private var reconciler: FlowReconciler
    /// What became of the last requests, not committed yet.
    private var pending: [(claim: Claim, outcome: RequestOutcome)] = []
    /// The requests of the open claim that are still to be sent.
    private var unsent: ArraySlice<ClaimedRequest> = []
    private var maxRequestsPerClaim: Int
    /// Approved requests that this apply does not repeat, such as retries that the service refuses. The windows after them
    /// go on.
    private var skipped: [RunKey: FlowEnd] = [:]
    /// How often in a row the service did not take a request.
    private var consecutiveSendFailures = 0
    private var consecutiveReleases = 0
    /// Requests of this apply whose answer was lost.
    private var doubted: Set<RunIdentity> = []
    private var accepted = 0
    private var removed = 0

    init(
        plan: FlowPlan, preflight: Result<ServiceFlow?, FlowEnd>?, asOf: Timestamp, applier: Applier, slots: Slots,
        staleness: Applier.Staleness, maxRequestsPerClaim: Int
    ) {
        self.plan = plan
        self.preflight = preflight
        self.asOf = asOf
        self.applier = applier
        self.slots = slots
        self.staleness = staleness
        self.maxRequestsPerClaim = maxRequestsPerClaim
        rerunSeriesWindows = Set(plan.actions.lazy.filter { $0.rerun != nil && $0.isOfSeries }.map(\.window))
        reconciler = FlowReconciler(
            plan.id, acknowledged: plan.rules.acknowledged, of: plan.id, applier.context, slots: slots)
    }

    private var context: ApplierContext { applier.context }

    /// Applies the plan. Never throws: every error becomes part of the outcome.
    mutating func run() async -> FlowOutcome {
        var end = FlowEnd.done
        do throws(FlowEnd) { try await apply() } catch { end = error }
        if let skip = skipped.values.first, end.isDoneOrHeld { end = skip }
        return FlowOutcome(
            flow: plan.id, accepted: accepted, removed: removed, remaining: plan.actions.count - accepted - removed,
            end: end)
    }

    private mutating func apply() async throws(FlowEnd) {
        let service = try preflight?.get()
        guard !context.stop.isRequested else { throw .stopped }
        try await reconciler.readLedger()
        guard try await !isFinished() else { return }
        try await reconciler.reconcileOnStart(with: service)
        try await reconcileReplacedFlows()
        while true {
            try await settleOpenClaim()
            let (actions, column) = try await missingActions()
            switch try await sendMissing(actions, column) {
            case .allAccepted: return
            case .replan: break
            case .inDoubt(let reason):
                let acceptedBefore = accepted
                try await settleOpenClaim()
                if accepted == acceptedBefore { consecutiveReleases += 1 }
                if consecutiveReleases >= Self.maxConsecutiveReleases {
                    throw .unavailable(
                        "\(consecutiveReleases) consecutive requests failed and were not accepted: \(reason)")
                }
            }
            try await reconciler.reconcileAgain()
            countAdopted()
            // If the ledger was restored, so were the records of the flows that this one replaces.
            try await reconcileReplacedFlows()
        }
    }

    private mutating func settleOpenClaim() async throws(FlowEnd) {
        try await reconciler.settleOpenClaim()
        countAdopted()
    }

    /// Counts requests of this apply whose answer was lost and whose run was found.
    private mutating func countAdopted() {
        for identity in doubted.intersection(reconciler.adopted) {
            doubted.remove(identity)
            countAccepted()
        }
    }

    private mutating func countAccepted() {
        accepted += 1
        consecutiveSendFailures = 0
        consecutiveReleases = 0
    }

    /// Reconciles the flows that this one replaces: their recorded runs count for it.
    ///
    /// - Throws: when one of them cannot be read. A request of theirs that stays in doubt holds its own window only.
    private func reconcileReplacedFlows() async throws(FlowEnd) {
        for id in plan.rules.replaced {
            guard !context.stop.isRequested else { throw .stopped }
            var reconciler = FlowReconciler(
                id, acknowledged: plan.rules.acknowledged, of: plan.id, context, slots: slots)
            do throws(FlowEnd) {
                try await reconciler.readLedger()
                try await reconciler.reconcileOnStart(with: nil)
                try await reconciler.settleOpenClaim()
            } catch .held(let reason) {
                guard reconciler.ledger.openRequests.isEmpty else { continue }
                throw .held("flow \(id), which this one replaces: \(reason)")
            }
        }
    }

    // MARK: What is missing

    /// Whether each request of a saved plan was made since.
    ///
    /// - Throws: ``FlowEnd/stale(_:)`` when the flow has changed in another way.
    private mutating func isFinished() async throws(FlowEnd) -> Bool {
        let ledger = reconciler.ledger
        guard staleness == .refuse, ledger.record.revision.number != plan.revision else { return false }
        let made = plan.actions.count { action in
            ledger.runs.attempts(at: action.key(in: plan.id)).contains {
                $0.state.isAccepted && $0.identity.attempt >= action.attempt
            }
        }
        countRemoved(made)
        if made > 0, made == plan.actions.count { return true }
        throw .stale(try await changes())
    }

    /// What changed in the flow since the plan was made, in words.
    private func changes() async throws(FlowEnd) -> String {
        do throws(LedgerError) {
            return StalePlan(plan: plan, entries: try await context.store.entries(of: plan.id).entries).changes
        } catch { throw context.end(for: error) }
    }

    /// Plans the approved requests against the ledger of now. New requests are left to another plan: nothing is sent that
    /// was not approved.
    ///
    /// - Returns: the approved requests that are still missing, and the delta column, where the flow's first request is
    ///   still to come.
    private mutating func missingActions() async throws(FlowEnd) -> (PlannedActions, DeltaColumn?) {
        guard !plan.actions.isEmpty else { return ([], nil) }
        if let pause = plan.rules.pause(at: serviceNow) { throw .held(pause.inWords) }
        let replaced: [FlowSnapshot]
        do throws(LedgerError) { replaced = try await context.store.replaced(plan.rules.replaced) } catch {
            throw context.end(for: error)
        }
        let remainder = Planner(asOf: asOf).remainder(
            of: plan, record: reconciler.ledger.record, runs: reconciler.ledger.runs, replaced: replaced)
        var (actions, column): (PlannedActions, DeltaColumn?)
        switch remainder {
        case .conflict(let errors): throw .conflict(errors)
        case .held(let reason): throw .held(reason)
        case .missing(_, _, isRecut: true) where staleness == .refuse: throw .stale(try await changes())
        case .missing(let missing, let first, _): (actions, column) = (missing, first)
        }
        if !skipped.isEmpty { actions = PlannedActions(actions.filter { skipped[$0.key(in: plan.id)] == nil }) }
        countRemoved(plan.actions.count - accepted - skipped.count - actions.count)
        return (actions, column)
    }

    /// Approved requests whose windows were run by others.
    private mutating func countRemoved(_ count: Int) {
        guard count > removed else { return }
        context.report(.removed(plan.id, count: count - removed))
        removed = count
    }

    // MARK: Send

    private enum SendResult {
        case allAccepted
        /// Another process changed the flow, or time has passed: what is missing has to be found out again.
        case replan
        case inDoubt(String)
    }

    /// A request that its ledger row allows to be sent.
    private struct ClaimedRequest {
        let action: PlannedAction
        let claim: Claim
        let body: String
        /// The last instant at which it may leave.
        let deadline: MonotonicInstant
    }

    /// How long the last outcome may wait to be committed together with the next claim.
    private var maxCommitDelay: Duration {
        context.store.isCommitCostly ? context.limits.requestTimeout / 2 : .seconds(1)
    }

    /// Sends the requests in order, claim by claim. What became of one claim's requests is committed with the next claim.
    /// Windows that have not ended are skipped.
    ///
    /// - Parameter column: goes with whichever request is sent first, also where the planned first one is skipped.
    private mutating func sendMissing(
        _ actions: PlannedActions, _ column: DeltaColumn?
    ) async throws(FlowEnd) -> SendResult {
        var early: FlowEnd?
        var column = column
        var index = 0
        while index < actions.count {
            var next = actions[index]
            if let column { next = next.carrying(column) }
            if isEarly(next) {
                early =
                    early
                    ?? .held("the window \(next.window.inWords) has not ended by the service's clock, \(serviceNow)")
                index += 1
                continue
            }
            if let run = next.kind.retried, try await !isRetryNeeded(next, of: run) { return .replan }
            if !pending.isEmpty, context.service.rateLimitDelay() > maxCommitDelay, try await !commit() {
                return .replan
            }
            await context.service.waitForRateLimit()
            if context.stop.isRequested {
                _ = try await commit()
                throw .stopped
            }
            guard let requests = try await claim(batch(of: actions, from: index, next)) else { return .replan }
            column = nil
            index += requests.count
            let result = try await sendClaimed(requests)
            guard case .allAccepted = result else { return result }
        }
        guard try await commit() else { return .replan }
        if let early { throw early }
        return .allAccepted
    }

    /// Sends the requests of one claim. The turn of the first is taken already. Outcomes of accepted requests are pending
    /// afterwards.
    private mutating func sendClaimed(_ requests: [ClaimedRequest]) async throws(FlowEnd) -> SendResult {
        unsent = requests[...]
        while let request = unsent.first {
            if unsent.count < requests.count {
                await context.service.waitForRateLimit()
                if context.stop.isRequested {
                    try await release(unsent, "stopped")
                    throw .stopped
                }
                if context.time.monotonic() > request.deadline {
                    maxRequestsPerClaim = requests.count - unsent.count
                    try await release(unsent, "the claim's time has passed")
                    return .replan
                }
            }
            unsent.removeFirst()
            let result = try await sendUntilAnswered(request)
            guard case .allAccepted = result else { return result }
        }
        return .allAccepted
    }

    /// Sends a claimed request, and repeats it as long as the service certainly did not take it and its time has not
    /// passed.
    private mutating func sendUntilAnswered(_ request: ClaimedRequest) async throws(FlowEnd) -> SendResult {
        let identity = request.claim.identity
        while true {
            let retryAfter: Duration?
            let reason: String
            switch await sendToService(request) {
            case .accepted(let run, let response):
                // The ledger was read before the claim, so a run that it contains is not this request's.
                if reconciler.ledger.runIDs.contains(run) {
                    return try await recordKnownRun(run, response, of: request)
                }
                try record(.accepted(run, response: response), of: request)
                countAccepted()
                context.report(.accepted(identity, run))
                return .allAccepted
            case .refused(let reason, let response):
                let entry = SuggestedYAML.rerun(of: request.action.window)
                return try await recordRefusal(
                    reason, response, of: request,
                    advice: "; to request the window again, write under 'rerun' of the flow: \(entry)")
            case .unknown(let reason, let response):
                return try await recordDoubt(reason, response, of: request)
            case .unauthorized(let reason):
                try await release([request] + unsent, reason)
                context.stop.request()
                throw .unauthorized(reason)
            case .throttled(let asked): (retryAfter, reason) = (asked, "rate limited (429)")
            case .notSent(let error): (retryAfter, reason) = (nil, error)
            }

            consecutiveSendFailures += 1
            guard let delay = context.retryPolicy.delay(after: consecutiveSendFailures, retryAfter: retryAfter) else {
                try await release([request] + unsent, reason)
                context.stop.request()
                throw .unavailable(reason.asking(toWait: retryAfter))
            }
            guard !context.stop.isRequested else {
                try await release([request] + unsent, reason)
                throw .stopped
            }
            let isInTime = context.time.monotonic() + delay < request.deadline
            if !isInTime { try await release([request] + unsent, reason) }
            do throws(FlowEnd) {
                try await context.wait(delay, for: plan.id, because: reason)
            } catch {
                if isInTime { try await release([request] + unsent, reason) }
                throw error
            }
            guard isInTime else { return .replan }
            await context.service.waitForRateLimit()
        }
    }

    private func sendToService(_ request: ClaimedRequest) async -> RunAnswer {
        if let run = request.action.kind.retriggered {
            await context.service.retrigger(run, sendBefore: request.deadline)
        } else {
            await context.service.createRun(request.body, sendBefore: request.deadline)
        }
    }

    // MARK: Record

    private mutating func record(_ outcome: RequestOutcome, of request: ClaimedRequest) throws(FlowEnd) {
        pending.append((request.claim, outcome))
        do throws(LedgerError) {
            try reconciler.ledger.record(outcome, of: request.claim, at: context.time.now())
        } catch { throw context.end(for: error) }
    }

    /// Only a refused retry lets its flow go on; a refused `POST /runs` stops it.
    private mutating func recordRefusal(
        _ reason: String, _ response: String, of request: ClaimedRequest, advice: String
    ) async throws(FlowEnd) -> SendResult {
        try record(.rejected(reason: reason, response: response), of: request)
        context.report(.rejected(request.claim.identity, reason: reason))
        try await release(unsent, "the request before it was refused")
        let window = request.action.window
        guard request.action.kind.retriggered != nil else { throw .refused(window, reason: reason) }
        skipped[request.action.key(in: plan.id)] = .refused(
            window, reason: reason + advice)
        return .replan
    }

    private mutating func recordDoubt(
        _ reason: String, _ response: String?, of request: ClaimedRequest
    ) async throws(FlowEnd) -> SendResult {
        try record(.inDoubt(reason: reason, response: response), of: request)
        doubted.insert(request.claim.identity)
        context.report(.doubted(request.claim.identity, reason: reason))
        try await release(unsent, "the request before it is in doubt")
        return .inDoubt(reason)
    }

    /// Records an answer that names a run which is recorded already. A re-trigger may have run it again under its old id:
    /// that uses up an attempt. After a `POST /runs` the listing decides whether a run was made.
    private mutating func recordKnownRun(
        _ run: RunID, _ response: String, of request: ClaimedRequest
    ) async throws(FlowEnd) -> SendResult {
        let reason = "\(RunAnswerReason.knownRun)\(run)"
        guard request.action.kind.retriggered != nil else {
            return try await recordDoubt(reason, response, of: request)
        }
        // The run may be running again, so a rerun would be the wrong advice.
        return try await recordRefusal(
            reason, response, of: request, advice: "; 'sluice refresh' reads how it ended")
    }

    /// Releases requests that were certainly not taken, and commits that with what is pending.
    private mutating func release(_ requests: ArraySlice<ClaimedRequest>, _ reason: String) async throws(FlowEnd) {
        for request in requests { try record(.released(reason: "not taken: \(reason)"), of: request) }
        unsent = []
        _ = try await commit()
    }

    /// Whether a retry is still needed, by what the service reports of the failed run now.
    private mutating func isRetryNeeded(_ action: PlannedAction, of run: RunID) async throws(FlowEnd) -> Bool {
        guard try await commit() else { return false }
        guard try await !reconciler.waitForUnnamedRun(of: action.key(in: plan.id)) else { return false }
        switch try await reconciler.checkFailure(of: run) {
        case .confirmed: return true
        case .changed: return false
        case .restarted:
            skipped[action.key(in: plan.id)] = .held("the service is running the failed run \(run) again")
            return false
        }
    }

    // MARK: Claim

    /// The first of the actions that one claim covers: as many as may go out in half of the time limit, the other half
    /// being for a commit that takes its time.
    ///
    /// The delta column depends on the flow's first request, so that one is claimed alone. So are requests for one window,
    /// since a run shows its window only, and retries, which are checked one by one.
    ///
    /// - Parameter first: the one at the index, as it is to be sent.
    private func batch(of actions: PlannedActions, from index: Int, _ first: PlannedAction) -> [PlannedAction] {
        guard maxRequestsPerClaim > 1, first.deltaColumn == nil, first.kind.retried == nil,
            reconciler.ledger.runs.contains(where: \.state.isAccepted)
        else { return [first] }
        var windows: Set<Window> = []
        return Array(
            actions[index...].prefix(maxRequestsPerClaim).prefix { action in
                windows.insert(action.window).inserted && action.deltaColumn == nil && action.kind.retried == nil
                    && !isEarly(action)
            })
    }

    /// Claims the requests, all of them or none.
    ///
    /// - Returns: `nil` when nothing is claimed: another process has changed the flow, or requests with another ledger of
    ///   this machine, or the flow has to be compared with the service first.
    private mutating func claim(_ actions: [PlannedAction]) async throws(FlowEnd) -> [ClaimedRequest]? {
        guard !reconciler.ledger.record.needsRecheck else {
            _ = try await commit()
            return nil
        }
        // From before the commit: however long that takes, the deadline holds.
        let deadline = context.time.monotonic() + context.limits.requestTimeout
        let serviceTime = context.service.serviceTime()
        let claim = RunClaim(id: ClaimID(random: context.random()), owner: context.owner, time: serviceTime)
        let requests = actions.map { request($0, under: claim, deadline) }
        let isOnlyLedger: Bool
        do throws(LedgerError) {
            let earlier = try context.journal.add(
                JournalClaim(id: claim.id, time: serviceTime?.latest, madeAt: context.time.sinceBoot()), of: plan.id)
            isOnlyLedger = reconciler.missingClaims(of: earlier).isEmpty
            if isOnlyLedger { for request in requests { try reconciler.ledger.claim(request.claim) } }
        } catch { throw context.end(for: error) }
        // A conflict leaves only the last outcomes to be recorded.
        if try await commit(), isOnlyLedger { return requests }
        do throws(LedgerError) {
            try context.journal.remove([claim.id], of: plan.id)
        } catch { throw context.end(for: error) }
        return nil
    }

    private func request(
        _ action: PlannedAction, under claim: RunClaim, _ deadline: MonotonicInstant
    ) -> ClaimedRequest {
        let now = context.time.now()
        let body = action.request(for: plan.id).body(applier.wireForm, sentAt: claim.time?.latest ?? now)
        var provenance = applier.provenance
        provenance.file = action.place.file
        provenance.line = action.place.line
        provenance.reason = action.rerun.flatMap { id in plan.rules.reruns.first { $0.id == id }?.reason }
        return ClaimedRequest(
            action: action,
            claim: Claim(
                identity: action.identity(in: plan.id), deltaColumn: action.deltaColumn,
                request: action.requestLine(body: body), claim: claim, claimedAt: now, provenance: provenance,
                isRetry: action.kind.retried != nil),
            body: body, deadline: deadline)
    }

    /// Commits the pending changes.
    ///
    /// - Returns: `false` when another process has changed the flow: only the last outcomes are recorded.
    private mutating func commit() async throws(FlowEnd) -> Bool {
        var isUnchanged = true
        while true {
            do throws(LedgerError) {
                if try await context.commit(&reconciler.ledger) {
                    pending = []
                    return isUnchanged
                }
            } catch {
                guard case .runIDOfAnotherFlow(let reason) = error, doubtPendingRuns(reason) else {
                    throw context.end(for: error)
                }
            }
            isUnchanged = false
            try await reconciler.readLedger()
            do throws(LedgerError) {
                for (claim, outcome) in pending {
                    try reconciler.ledger.record(outcome, of: claim, at: context.time.now())
                }
            } catch { throw context.end(for: error) }
        }
    }

    /// Treats accepted requests as in doubt, since the service answered with the run of another flow.
    ///
    /// - Returns: `false` when no accepted request is pending.
    private mutating func doubtPendingRuns(_ reason: String) -> Bool {
        var isChanged = false
        for index in pending.indices {
            guard case .accepted(_, let response) = pending[index].outcome else { continue }
            pending[index].outcome = .inDoubt(reason: reason, response: response)
            doubted.insert(pending[index].claim.identity)
            accepted -= 1
            isChanged = true
        }
        return isChanged
    }

    // MARK: Windows that have not ended

    /// Whether the window has not ended by the service's clock, independently of the plan's time: its run would leave a
    /// hole at its end.
    private func isEarly(_ action: PlannedAction) -> Bool {
        (action.isOfSeries || rerunSeriesWindows.contains(action.window)) && action.window.end > serviceNow
    }

    private var serviceNow: Timestamp { context.service.serviceTime()?.earliest ?? context.time.now() }
}

extension PlannedAction {
    /// The request as the ledger keeps it.
    fileprivate func requestLine(body: String) -> String {
        if let run = kind.retriggered { "POST \(RetriggerRequest(run).target)" } else { "POST /runs \(body)" }
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
