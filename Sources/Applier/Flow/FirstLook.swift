import FlowRuns
import FlowService
import Ledger
import Manifests

/// Looking at a flow's runs before its first request, whatever the ledger says: it may not be the whole truth.
extension FlowApplication {
    mutating func lookFirst(column: DeltaColumn?) async throws(FlowEnd) {
        let isFirstContact = ledger.record.contactedAt == nil
        try await lookBeforeRequests(isFirst: true, column: column)
        if isFirstContact {
            context.report(.contacted(plan.id, runsFound: ledger.runs.count { $0.origin == .service }))
        }
    }

    /// Compares the flow with the service; in full, and when everything must be listed, where this ledger may lack
    /// requests that were made a moment ago. Until then other flows go on, and wait themselves, so that all of them wait
    /// together.
    mutating func lookBeforeRequests(isFirst: Bool = false, column: DeltaColumn? = nil) async throws(FlowEnd) {
        // Meanwhile the ledger may have turned out to be an older one.
        if !isFirst { try await readLedger() }
        guard let doubt = try await lastingDoubt(isFirst: isFirst) else { return try await look(column: column) }
        comparison.waitedFrom = ledger.base
        if doubt.wait > .zero { try await waitForOthers(doubt.wait, because: doubt.reason) }
        waitedFor.formUnion(doubt.missing)
        try await look(.full, column: column)
        do throws(LedgerError) { try context.journal?.create() } catch { throw context.end(for: error) }
        comparison.waitedFrom = nil
    }

    /// Compares the flow with the service; waits for a run of which the service may tell the window soon.
    ///
    /// - Throws: ``FlowEnd/held(_:)`` while the window of a run cannot be read.
    mutating func look(
        _ depth: FlowComparison.Depth = .newest, column: DeltaColumn? = nil
    ) async throws(FlowEnd) {
        var waited = Duration.zero
        var pause = Duration.seconds(2)
        while true {
            let findings = try await compare(depth, column: column)
            guard let run = findings.unreadable.first else { return }
            let reason = "the window of run \(run.id), made at \(run.createdAt), cannot be read"
            guard waited < context.limits.settle, isRecent(run) else {
                throw .held(
                    "\(reason): name it in the manifest under 'acknowledged': {run: \(run.id), reason: …}, and give its "
                        + "'window: {start: …, end: …}' if it is known")
            }
            try await context.wait(pause, for: plan.id, because: reason)
            waited += pause
            pause = min(pause * 2, .seconds(15))
        }
    }

    mutating func compare(
        _ depth: FlowComparison.Depth = .newest, column: DeltaColumn? = nil
    ) async throws(FlowEnd) -> ListingFindings {
        let findings: ListingFindings
        // It is read anew: see ``readLedger()``.
        ledger = .empty(plan.id)
        do { (ledger, findings) = try await comparison.compare(depth, column: column) } catch {
            throw context.end(for: error)
        }
        for identity in findings.adopted.keys where doubted.remove(identity) != nil { noteAccepted() }
        return findings
    }

    private func isRecent(_ run: ObservedRun) -> Bool {
        guard let now = context.service.serviceTime() else { return true }
        return now.earliest - run.createdAt < context.limits.settle
    }

    private struct LedgerDoubt {
        let wait: Duration
        let reason: String
        var missing: [ClaimID] = []
    }

    /// A claim is in the journal before it is in the ledger: one that is missing gets a moment for its commit. A newer one
    /// that is missing by then is met when the next request is claimed.
    private mutating func lastingDoubt(isFirst: Bool) async throws(FlowEnd) -> LedgerDoubt? {
        guard let doubt = try doubtOfLedger(isFirst: isFirst) else { return nil }
        guard !doubt.missing.isEmpty else { return doubt }
        await context.time.pause(.milliseconds(500), unless: context.stop)
        try await readLedger()
        guard let later = try doubtOfLedger(isFirst: isFirst) else { return nil }
        let isLasting = later.missing.isEmpty || later.missing.contains(where: doubt.missing.contains)
        return isLasting ? later : nil
    }

    /// Why this ledger may lack requests that were made a moment ago, and how long it takes until the service lists
    /// them; `nil` when it is the whole truth.
    private func doubtOfLedger(isFirst: Bool) throws(FlowEnd) -> LedgerDoubt? {
        let settle = context.listsAtOnce ? .zero : context.limits.settle
        let sinceStart = max(.zero, settle - (context.time.monotonic() - context.startedAt))
        if ledger.record.needsRecheck {
            // From when this apply sees so: somebody else may have found it out a moment ago.
            return LedgerDoubt(
                wait: settle,
                reason:
                    "the ledger was restored, or its server is another one, and what was requested since may not be "
                    + "listed yet")
        }
        guard let journal = context.journal else { return nil }
        if isFirst, !context.hadJournal {
            return LedgerDoubt(
                wait: sinceStart,
                reason: "this machine has no record of earlier requests, and what was requested elsewhere may not be "
                    + "listed yet")
        }
        let missing: [JournalClaim]
        do throws(LedgerError) { missing = self.missing(of: try journal.claims(of: plan.id)) } catch {
            throw context.end(for: error)
        }
        guard !missing.isEmpty else { return nil }
        let now = context.service.serviceTime()?.earliest
        let wait =
            missing.map { claim in
                guard let time = claim.time, let now else { return settle }
                return min(max(.zero, time + settle - now), settle)
            }.max() ?? .zero
        return LedgerDoubt(
            wait: wait, reason: "a request that this machine made is not in this ledger, and may not be listed yet",
            missing: missing.map(\.id))
    }

    /// Those of this machine's claims that this ledger does not know, as when it is an older copy, or when another
    /// ledger is at work in another folder, and that it was not compared for yet.
    func missing(of claims: [JournalClaim]) -> [JournalClaim] {
        let listedUntil = ledger.record.comparedAt.map { $0 - context.limits.settle }
        return claims.filter { claim in
            if let time = claim.time, let listedUntil, time <= listedUntil { return false }
            return !ledger.knows(claim.id) && !waitedFor.contains(claim.id)
        }
    }
}
