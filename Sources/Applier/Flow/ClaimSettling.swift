import FlowRuns
import FlowService
import Ledger

/// What becomes of a claim without an answer, one's own or another apply's.
extension FlowApplication {
    /// Looks at the service's runs, with waiting in between, until no claim is open.
    ///
    /// - Throws: ``FlowEnd/held(_:)`` when one is open still after its time has passed.
    mutating func settleOpenClaim() async throws(FlowEnd) {
        var claim: ClaimID?
        var overdue = 0
        var pause = Duration.seconds(1)
        while !ledger.openRequests.isEmpty {
            try await letOwnerWork()
            let findings = try await compare()
            guard let still = ledger.openRequests.first else { return }
            if still.claim?.id != claim { (claim, overdue, pause) = (still.claim?.id, 0, .seconds(1)) }
            let left = timeLeft(of: still)
            if left <= .zero {
                if overdue == 0 { pause = .seconds(1) }
                overdue += 1
                if overdue > 3 { throw .held(reason(still, findings)) }
            }
            let wait = left > .zero ? min(pause, left) : pause
            pause = min(pause * 2, .seconds(15))
            try await waitForOthers(wait, unlessOwn: still, because: reason(still, findings))
        }
    }

    /// Waits as long as each look at the ledger shows another claim of others: their owners are at work, and there is
    /// nothing to ask the service yet.
    private mutating func letOwnerWork() async throws(FlowEnd) {
        var seen: ClaimID?
        var pause = Duration.seconds(1)
        while let open = ledger.openRequests.first, let claim = open.claim, claim.owner != context.owner,
            claim.id != seen, timeLeft(of: open) > .zero
        {
            seen = claim.id
            try await waitForOthers(
                pause, because: "\(claim.owner) is requesting \(open.window?.inWords ?? "an unknown window")")
            pause = min(pause * 2, .seconds(4))
            try await readLedger()
        }
    }

    /// While another apply is at work on this flow, this one goes on with other flows.
    private func waitForOthers(
        _ duration: Duration, unlessOwn open: RecordedRun, because reason: String
    ) async throws(FlowEnd) {
        guard open.claim?.owner != context.owner else {
            return try await context.wait(duration, for: plan.id, because: reason)
        }
        try await waitForOthers(duration, because: reason)
    }

    /// Waits, and lets other flows go on.
    func waitForOthers(_ duration: Duration, because reason: String) async throws(FlowEnd) {
        await slots.give()
        var end: FlowEnd?
        do throws(FlowEnd) { try await context.wait(duration, for: plan.id, because: reason) } catch { end = error }
        await slots.take()
        if let end { throw end }
    }

    /// Until the claim can be settled by a listing.
    private func timeLeft(of open: RecordedRun) -> Duration {
        let settle = context.limits.settle
        let unseen = settle - comparison.seenFor(open.claim?.id)
        guard let claimed = open.claim?.time, let now = context.service.serviceTime() else { return unseen }
        return min(unseen, claimed.latest + settle - now.earliest)
    }

    private func reason(_ open: RecordedRun, _ findings: ListingFindings) -> String {
        let window = open.window?.inWords ?? "an unknown window"
        let claimed = "the request for \(window), claimed at \(open.recordedAt)"
        let whose = open.claim.map { $0.owner == context.owner ? "" : " by \($0.owner)" } ?? ""
        if let run = findings.unreadable.first {
            return
                "\(claimed)\(whose), may be run \(run.id), whose window cannot be read: name it under 'acknowledged' "
                + "with its 'window: {start: …, end: …}'"
        }
        if let run = findings.undecided.first {
            return "\(claimed)\(whose), may be run \(run.id), which is acknowledged without a window: add its "
                + "'window: {start: …, end: …}'"
        }
        return "it is not known yet whether the service took \(claimed)\(whose)"
    }
}
