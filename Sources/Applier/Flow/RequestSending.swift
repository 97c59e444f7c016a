import FlowRuns
import FlowService
import Ledger
import Planner

/// Claim, send, record.
extension FlowApplication {
    enum Sent {
        case all
        /// The flow was changed by somebody else, or time has passed: what is missing has to be found out again.
        case lookAgain
        case inDoubt(String)
    }

    /// A claim that waits longer than this for its turn does not keep the last outcome waiting.
    private var longestUncommitted: Duration {
        context.store.isCommitCostly ? context.limits.requestTimeout / 2 : .seconds(1)
    }

    /// Sends the requests in order, claim by claim. What became of one claim's is committed with the next claim. Windows
    /// that have not ended are left out.
    ///
    /// - Parameter column: goes with whichever request is first, also where the planned first one is left out.
    mutating func send(_ actions: PlannedActions, _ column: DeltaColumn?) async throws(FlowEnd) -> Sent {
        var early: FlowEnd?
        var column = column
        var index = 0
        while index < actions.count {
            var next = actions[index]
            if let column { next = next.carrying(column) }
            if let end = endOfEarlyWindow(next) {
                early = early ?? end
                index += 1
                continue
            }
            if !pending.isEmpty, context.service.turnDelay() > longestUncommitted, try await !commit() {
                return .lookAgain
            }
            await context.service.takeTurn()
            if context.stop.isRequested {
                _ = try await commit()
                throw .stopped
            }
            guard let requests = try await claim(batch(of: actions, from: index, next)) else { return .lookAgain }
            column = nil
            index += requests.count
            if let sent = try await send(requests) { return sent }
        }
        guard try await commit() else { return .lookAgain }
        if let early { throw early }
        return .all
    }

    /// Sends the requests of one claim. The turn of the first is taken already.
    ///
    /// - Returns: `nil` when all were accepted; their outcomes are pending then.
    private mutating func send(_ requests: [ClaimedRequest]) async throws(FlowEnd) -> Sent? {
        unsent = requests[...]
        while let request = unsent.first {
            if unsent.count < requests.count {
                await context.service.takeTurn()
                if context.stop.isRequested {
                    try await release(unsent, "stopped")
                    throw .stopped
                }
                if context.time.monotonic() > request.deadline {
                    mostPerClaim = requests.count - unsent.count
                    try await release(unsent, "the claim's time has passed")
                    return .lookAgain
                }
            }
            unsent.removeFirst()
            if let sent = try await send(request) { return sent }
        }
        return nil
    }

    /// Sends a claimed request, again and again as long as it is surely not taken and its time has not passed.
    ///
    /// - Returns: `nil` when it was accepted; the outcome is pending then.
    private mutating func send(_ request: ClaimedRequest) async throws(FlowEnd) -> Sent? {
        let identity = request.claim.identity
        while true {
            let retryAfter: Duration?
            let reason: String
            switch await put(request) {
            case .accepted(let run, let response):
                try note(.accepted(run, response: response), of: request)
                noteAccepted()
                context.report(.accepted(identity, run))
                return nil
            case .refused(let reason, let response):
                try note(.rejected(reason: reason, response: response), of: request)
                context.report(.rejected(identity, reason: reason))
                try await release(unsent, "the request before it was refused")
                let window = request.action.window
                guard request.action.kind.retriggered != nil else { throw .refused(window, reason: reason) }
                refusedRetries[request.action.key(in: plan.id)] = .refused(
                    window, reason: "\(reason); to request the window anew, declare a 'rerun' of it")
                return .lookAgain
            case .unknown(let reason, let response):
                try note(.inDoubt(reason: reason, response: response), of: request)
                doubted.insert(identity)
                context.report(.doubted(identity, reason: reason))
                try await release(unsent, "the request before it is in doubt")
                return .inDoubt(reason)
            case .unauthorized(let reason):
                try await release([request] + unsent, reason)
                context.stop.request()
                throw .unauthorized(reason)
            case .throttled(let asked): (retryAfter, reason) = (asked, "rate limited (429)")
            case .notSent(let error): (retryAfter, reason) = (nil, error)
            }

            notTaken += 1
            guard let delay = context.retryPolicy.delay(after: notTaken, retryAfter: retryAfter) else {
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
            guard isInTime else { return .lookAgain }
            await context.service.takeTurn()
        }
    }

    private func put(_ request: ClaimedRequest) async -> RunAnswer {
        if let run = request.action.kind.retriggered {
            await context.service.retrigger(run, sendBefore: request.deadline)
        } else {
            await context.service.createRun(request.body, sendBefore: request.deadline)
        }
    }

    private mutating func note(_ outcome: RequestOutcome, of request: ClaimedRequest) throws(FlowEnd) {
        pending.append((request.claim, outcome))
        do throws(LedgerError) {
            try ledger.record(outcome, of: request.claim, at: context.time.now())
        } catch { throw context.end(for: error) }
    }

    /// Gives up one's own claim of requests that were surely not taken, and commits it with what is pending.
    private mutating func release(_ requests: ArraySlice<ClaimedRequest>, _ reason: String) async throws(FlowEnd) {
        for request in requests { try note(.released(reason: "not taken: \(reason)"), of: request) }
        unsent = []
        _ = try await commit()
    }
}
