import FlowRuns
import FlowService
import Ledger
import Planner
import RunRequests

/// Claim, send, record.
extension FlowApplication {
    enum Sent {
        case all
        /// The flow was changed by somebody else, or time has passed: what is missing has to be found out again.
        case lookAgain
        case inDoubt(String)
    }

    /// A claim that waits longer than this for its turn does not keep the last outcome waiting.
    private static let longestUncommitted = Duration.seconds(1)

    /// Sends the requests in order. What became of one is committed with the claim of the next.
    mutating func send(_ actions: [PlannedAction]) async throws(FlowEnd) -> Sent {
        for action in actions {
            try await refuseEarlyWindow(action)
            if pending != nil, context.service.turnDelay() > Self.longestUncommitted, try await !commit() {
                return .lookAgain
            }
            await context.service.takeTurn()
            if context.stop.isRequested {
                _ = try await commit()
                throw .stopped
            }
            guard let request = try await claim(action) else { return .lookAgain }
            if let sent = try await send(action, request) { return sent }
        }
        return try await commit() ? .all : .lookAgain
    }

    /// Whatever the plan's time says: a window of a series that has not ended by the service's clock would be recorded
    /// with a hole at its end.
    private mutating func refuseEarlyWindow(_ action: PlannedAction) async throws(FlowEnd) {
        let now = context.service.serviceTime()?.earliest ?? context.time.now()
        guard seriesWindows.contains(action.window), action.window.end > now else { return }
        _ = try await commit()
        throw .held(
            "the window \(action.window.inWords) has not ended by the service's clock, \(now)")
    }

    /// Commits what is not committed yet.
    ///
    /// - Returns: `false` when somebody else has changed the flow: the last outcome is recorded, nothing else is.
    private mutating func commit() async throws(FlowEnd) -> Bool {
        do throws(LedgerError) {
            if try await context.commit(&ledger) {
                pending = nil
                return true
            }
        } catch { throw context.end(for: error) }
        while true {
            ledger = try await currentLedger()
            do throws(LedgerError) {
                if let pending { try ledger.record(pending.outcome, of: pending.claim, at: context.time.now()) }
                if try await context.commit(&ledger) {
                    pending = nil
                    return false
                }
            } catch { throw context.end(for: error) }
        }
    }

    // MARK: Claim

    struct ClaimedRequest {
        let claim: Claim
        let body: String
        /// The last instant at which it may leave.
        let deadline: MonotonicInstant
    }

    /// - Returns: `nil` when somebody else has changed the flow: nothing is claimed.
    private mutating func claim(_ action: PlannedAction) async throws(FlowEnd) -> ClaimedRequest? {
        let deadline = context.time.monotonic() + context.limits.requestTimeout
        let serviceTime = context.service.serviceTime()
        let now = context.time.now()
        let body = action.request(for: plan.id).body(applier.wireForm, sentAt: serviceTime?.latest ?? now)
        var provenance = applier.provenance
        provenance.file = action.place.file
        provenance.line = action.place.line
        let claim = Claim(
            identity: action.identity(in: plan.id), deltaColumn: action.deltaColumn,
            request: action.requestLine(body: body),
            claim: RunClaim(id: ClaimID(random: context.random()), owner: context.owner, time: serviceTime),
            claimedAt: now, provenance: provenance)
        do throws(LedgerError) {
            try context.journal?.add(JournalClaim(id: claim.claim.id, time: serviceTime?.latest), of: plan.id)
            try ledger.claim(claim)
        } catch { throw context.end(for: error) }
        if try await commit() { return ClaimedRequest(claim: claim, body: body, deadline: deadline) }
        // A conflict leaves only the last outcome to be recorded.
        do throws(LedgerError) {
            try context.journal?.withdraw(claim.claim.id, of: plan.id)
        } catch { throw context.end(for: error) }
        return nil
    }

    // MARK: Send

    /// Sends a claimed request, again and again as long as it is surely not taken and its time has not passed.
    ///
    /// - Returns: `nil` when it was accepted; the outcome is pending then.
    private mutating func send(_ action: PlannedAction, _ request: ClaimedRequest) async throws(FlowEnd) -> Sent? {
        let identity = request.claim.identity
        while true {
            let retryAfter: Duration?
            let reason: String
            switch await put(action, request) {
            case .accepted(let run, let response):
                try note(.accepted(run, response: response), of: request)
                noteAccepted()
                context.report(.accepted(identity, run))
                return nil
            case .refused(let reason, let response):
                try note(.rejected(reason: reason, response: response), of: request)
                context.report(.rejected(identity, reason: reason))
                _ = try await commit()
                throw .refused(action.window, reason: reason)
            case .unknown(let reason, let response):
                try note(.inDoubt(reason: reason, response: response), of: request)
                doubted.insert(identity)
                context.report(.doubted(identity, reason: reason))
                _ = try await commit()
                return .inDoubt(reason)
            case .unauthorized(let reason):
                try await release(request, reason)
                context.stop.request()
                throw .unauthorized(reason)
            case .throttled(let asked): (retryAfter, reason) = (asked, "rate limited (429)")
            case .notSent(let error): (retryAfter, reason) = (nil, error)
            }

            notTaken += 1
            guard let delay = context.retryPolicy.delay(after: notTaken, retryAfter: retryAfter) else {
                try await release(request, reason)
                context.stop.request()
                throw .unavailable(reason)
            }
            guard !context.stop.isRequested else {
                try await release(request, reason)
                throw .stopped
            }
            let isInTime = context.time.monotonic() + delay < request.deadline
            if !isInTime { try await release(request, reason) }
            do throws(FlowEnd) {
                try await context.wait(delay, for: plan.id, because: reason)
            } catch {
                if isInTime { try await release(request, reason) }
                throw error
            }
            guard isInTime else { return .lookAgain }
            await context.service.takeTurn()
        }
    }

    private func put(_ action: PlannedAction, _ request: ClaimedRequest) async -> RunAnswer {
        if case .retry(let run) = action.kind {
            await context.service.retrigger(run, sendBefore: request.deadline)
        } else {
            await context.service.createRun(request.body, sendBefore: request.deadline)
        }
    }

    private mutating func note(_ outcome: RequestOutcome, of request: ClaimedRequest) throws(FlowEnd) {
        pending = (request.claim, outcome)
        do throws(LedgerError) {
            try ledger.record(outcome, of: request.claim, at: context.time.now())
        } catch { throw context.end(for: error) }
    }

    /// Gives up one's own claim, whose request was surely not taken.
    private mutating func release(_ request: ClaimedRequest, _ reason: String) async throws(FlowEnd) {
        try note(.released(reason: "not taken: \(reason)"), of: request)
        _ = try await commit()
    }
}

extension PlannedAction {
    /// The request as the ledger keeps it.
    fileprivate func requestLine(body: String) -> String {
        if case .retry(let run) = kind { "POST \(RetriggerRequest(run).target)" } else { "POST /runs \(body)" }
    }
}
