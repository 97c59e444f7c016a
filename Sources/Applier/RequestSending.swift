import FlowRuns
import FlowService
import Ledger
import Planner
import RunRequests

extension FlowApplication {
    enum Sent {
        case accepted
        case doubted(String)
        case end(FlowOutcome.End)
    }

    /// Claims, sends and records one request; a request that was surely not taken is sent again, its claim renewed.
    func send(_ action: PlannedAction) async throws(LedgerError) -> Sent {
        let identity = action.identity(in: plan.id)
        await takeTurn()
        if stop.isRequested { return .end(.stopped) }
        var claimedAt = world.time.now()
        var deadline = world.time.monotonic() + world.limits.requestTimeout
        var body = action.request(for: plan.id).body(world.wireForm, sentAt: claimedAt)
        if let state = try await world.ledger.claim(claim(action, identity, body, claimedAt)) {
            return .end(
                .stale(
                    "window [\(action.window.start.seconds), \(action.window.end.seconds)) is \(state.rawValue) by now")
            )
        }

        let policy = RetryPolicy(maxAttempts: Self.maxAttempts, longestDelay: .seconds(30), random: world.chance)
        var attempts = 0
        while true {
            let retryAfter: Duration?
            let problem: String
            switch await put(action, body, sendBefore: deadline) {
            case .accepted(let run, let response):
                try await conclude(identity, .accepted(run, response: response))
                world.report(.accepted(identity, run))
                return .accepted
            case .refused(let reason, let response):
                try await conclude(identity, .rejected(reason: reason, response: response))
                world.report(.rejected(identity, reason: reason))
                return .end(.refused(action.window, reason: reason))
            case .unknown(let reason, let response):
                try await conclude(identity, .inDoubt(reason: reason, response: response))
                world.report(.doubted(identity, reason: reason))
                return .doubted(reason)
            case .unauthorized(let reason):
                try await release(identity, claimedAt, reason)
                stop.request()
                return .end(.unauthorized(reason))
            case .throttled(let wait):
                let asked = wait.map { ", for \($0.secondsRoundedUp) s" } ?? ""
                (retryAfter, problem) = (wait, "rate limited (429)\(asked)")
            case .notSent(let reason):
                (retryAfter, problem) = (nil, reason)
            }
            attempts += 1

            guard let wait = policy.delay(after: attempts, retryAfter: retryAfter), !stop.isRequested else {
                try await release(identity, claimedAt, problem)
                if stop.isRequested { return .end(.stopped) }
                stop.request()
                return .end(.unavailable(problem))
            }
            world.report(.waiting(plan.id, wait, reason: problem))
            await world.time.pause(wait, unless: stop)
            await takeTurn()
            let now = world.time.now()
            deadline = world.time.monotonic() + world.limits.requestTimeout
            guard try await world.ledger.renew(identity, claimedAt: claimedAt, now: now) else {
                return .end(.stale("somebody else dealt with the claim while this apply waited"))
            }
            claimedAt = now
            body = action.request(for: plan.id).body(world.wireForm, sentAt: now)
        }
    }

    private func put(_ action: PlannedAction, _ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer
    {
        if case .retry(let run) = action.kind {
            await world.service.retrigger(run, sendBefore: deadline)
        } else {
            await world.service.createRun(body, sendBefore: deadline)
        }
    }

    private func claim(
        _ action: PlannedAction, _ identity: RunIdentity, _ body: String, _ claimedAt: Timestamp
    ) -> Claim {
        let request: String
        if case .retry(let run) = action.kind {
            request = "POST /runs/\(run)/action?op=re-trigger"
        } else {
            request = "POST /runs \(body)"
        }
        var provenance = world.provenance
        provenance.file = action.place.file
        provenance.line = action.place.line
        return Claim(
            identity: identity, deltaColumn: action.deltaColumn, request: request, claimedAt: claimedAt,
            provenance: provenance)
    }

    /// Gives up one's own claim. Where somebody else has dealt with it already, there is nothing to give up.
    private func release(
        _ identity: RunIdentity, _ claimedAt: Timestamp, _ problem: String
    ) async throws(LedgerError) {
        _ = try await world.ledger.release(
            identity, claimedAt: claimedAt, reason: "not taken: \(problem)", at: world.time.now())
    }

    private func conclude(_ identity: RunIdentity, _ conclusion: Conclusion) async throws(LedgerError) {
        try await world.ledger.conclude(identity, conclusion, at: world.time.now())
    }
}
