import FlowRuns
import FlowService
import Ledger
import Planner
import RunRequests

/// How requests are claimed: one by one where a commit is cheap, several at once where it is not.
extension FlowApplication {
    /// A request that its ledger row allows to be sent.
    struct ClaimedRequest {
        let action: PlannedAction
        let claim: Claim
        let body: String
        /// The last instant at which it may leave.
        let deadline: MonotonicInstant
    }

    /// The first of the actions that one claim covers: as many as may go out in half of the time limit, the other half
    /// being for a commit that takes its time.
    ///
    /// The delta column rests on the flow's first request, so that one is claimed alone. So are requests for one window:
    /// a run tells its window only.
    ///
    /// - Parameter first: the one at the index, as it is to be sent.
    func batch(of actions: PlannedActions, from index: Int, _ first: PlannedAction) -> [PlannedAction] {
        guard mostPerClaim > 1, first.deltaColumn == nil, ledger.runs.contains(where: \.state.isAccepted)
        else { return [first] }
        var windows: Set<Window> = []
        return Array(
            actions[index...].prefix(mostPerClaim).prefix { action in
                windows.insert(action.window).inserted && action.deltaColumn == nil && !isEarly(action)
            })
    }

    /// Claims the requests, all of them or none.
    ///
    /// - Returns: `nil` when nothing is claimed: somebody else has changed the flow, or requests with another ledger of this
    ///   machine, or the flow has to be compared with the service first.
    mutating func claim(_ actions: [PlannedAction]) async throws(FlowEnd) -> [ClaimedRequest]? {
        guard !ledger.record.needsRecheck else {
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
            let earlier = try context.journal?.add(JournalClaim(id: claim.id, time: serviceTime?.latest), of: plan.id)
            isOnlyLedger = missing(of: earlier ?? []).isEmpty
            if isOnlyLedger { for request in requests { try ledger.claim(request.claim) } }
        } catch { throw context.end(for: error) }
        // A conflict leaves only the last outcomes to be recorded.
        if try await commit(), isOnlyLedger { return requests }
        do throws(LedgerError) {
            try context.journal?.withdraw(claim.id, of: plan.id)
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

    // MARK: Commit

    /// Commits what is not committed yet.
    ///
    /// - Returns: `false` when somebody else has changed the flow: the last outcomes are recorded, nothing else is.
    mutating func commit() async throws(FlowEnd) -> Bool {
        do throws(LedgerError) {
            if try await context.commit(&ledger) {
                pending = []
                return true
            }
        } catch { throw context.end(for: error) }
        while true {
            try await readLedger()
            do throws(LedgerError) {
                for (claim, outcome) in pending { try ledger.record(outcome, of: claim, at: context.time.now()) }
                if try await context.commit(&ledger) {
                    pending = []
                    return false
                }
            } catch { throw context.end(for: error) }
        }
    }

    // MARK: Windows that have not ended

    /// Whatever the plan's time says: a window of a series that has not ended by the service's clock would be recorded
    /// with a hole at its end.
    func endOfEarlyWindow(_ action: PlannedAction) -> FlowEnd? {
        guard isEarly(action) else { return nil }
        return .held("the window \(action.window.inWords) has not ended by the service's clock, \(serviceNow)")
    }

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
