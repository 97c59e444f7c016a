import FlowRuns
import FlowService
import Ledger
import Manifests

/// A comparison of the ledger's record of one flow with the runs that the service lists. Commits the differences.
struct FlowComparison {
    /// The extent of a comparison.
    enum Depth: Hashable, Sendable {
        /// Reads all runs of the service.
        case full
        /// Reads the newest runs first, until a page contains nothing new and reaches back far enough: see
        /// ``ListingCutoff``. Reads all runs if the service does not sort them by time.
        case newest
    }

    let flow: FlowID
    let context: ApplierContext
    private var settle: Duration { context.listingLag }
    private let acknowledged: Set<RunID>
    private let acknowledgedWindows: Set<RunID>
    /// The time of the first observation of each open claim, on this process's monotonic clock.
    private var firstSeen: [ClaimID?: MonotonicInstant] = [:]
    /// See `ClaimSettlementPolicy.waitedFrom`.
    var waitedFrom: Revision?
    /// Whether unfinished runs missing from the listing are read by ID. Runs with an unknown window are always read.
    var readsRunsUnderWay = false
    /// IDs of further runs to read by ID.
    var watchedRuns: Set<RunID> = []

    init(_ flow: FlowID, acknowledged: [Acknowledgement], _ context: ApplierContext) {
        self.flow = flow
        self.context = context
        self.acknowledged = acknowledged.foreignRunIDs
        acknowledgedWindows = Set(acknowledged.declaredWindows.keys)
    }

    /// Reads the flow's ledger.
    ///
    /// - Throws: ``RefreshError/ledger(_:)`` when the store cannot be read.
    mutating func ledger() async throws(RefreshError) -> FlowLedger {
        do throws(LedgerError) {
            let ledger = FlowLedger(try await context.store.snapshot(of: flow))
            for request in ledger.openRequests where firstSeen[request.claim?.id] == nil {
                firstSeen[request.claim?.id] = context.time.monotonic()
                if let claim = request.claim { journal(claim) }
            }
            return ledger
        } catch { throw .ledger(error) }
    }

    /// Adds a claim of another machine to this machine's journal, so that a later process can determine the age of the
    /// claim and detect its loss from the ledger. Without a journal, only the wait of this process counts.
    private func journal(_ claim: RunClaim) {
        guard let claims = try? context.journal.claims(of: flow), !claims.contains(where: { $0.id == claim.id }) else {
            return
        }
        _ = try? context.journal.add(
            JournalClaim(id: claim.id, time: claim.time?.latest, madeAt: context.time.sinceBoot()), of: flow)
    }

    /// Reads the service's runs and merges them into the ledger.
    ///
    /// - Parameter column: the delta column of the flow's `Copy` transformation, if the flow was read.
    /// - Returns: the ledger after the comparison, whose revision the next claim expects, and the findings.
    /// - Throws: ``RefreshError`` when the service or the store cannot be read, or the store cannot be written.
    mutating func compare(
        _ depth: Depth = .newest, column: DeltaColumn? = nil
    ) async throws(RefreshError) -> (FlowLedger, ListingFindings) {
        let ledger = try await ledger()
        let begun = context.time.monotonic()
        let age = age(of: ledger.openRequests.first)
        let listing: RunListing
        do { listing = try await read(ledger, depth) } catch { throw .service(error) }
        return try await merge(listing, into: ledger, begun: begun, age: age, column)
    }

    /// Merges runs that were read by other means, such as by ID or together with other flows.
    ///
    /// - Returns: the ledger and the findings; `nil` if `isUsable` rejects the current ledger.
    /// - Throws: ``RefreshError/ledger(_:)`` when the store cannot be read or written.
    mutating func merge(
        _ listing: RunListing, column: DeltaColumn?, ifUsable isUsable: (FlowLedger) -> Bool = { _ in true }
    ) async throws(RefreshError) -> (FlowLedger, ListingFindings)? {
        let ledger = try await ledger()
        guard isUsable(ledger) else { return nil }
        return try await merge(listing, into: ledger, begun: context.time.monotonic(), age: nil, column)
    }

    private mutating func merge(
        _ listing: RunListing, into ledger: FlowLedger, begun: MonotonicInstant, age: Duration?, _ column: DeltaColumn?
    ) async throws(RefreshError) -> (FlowLedger, ListingFindings) {
        var ledger = ledger
        let claim = ledger.openRequests.first?.claim?.id
        while true {
            let open = ledger.openRequests.first?.claim?.id
            let seenAt = ledger.openRequests.compactMap { firstSeen[$0.claim?.id] }.max() ?? begun
            let policy = ClaimSettlementPolicy(
                settle: settle, seenFor: begun - seenAt, age: open == claim ? age : nil, acknowledged: acknowledged,
                acknowledgedWindows: acknowledgedWindows, waitedFrom: waitedFrom)
            do throws(LedgerError) {
                let findings = try ledger.observe(listing, settling: policy, at: context.time.now())
                ledger.record(column: column)
                if try await context.commit(&ledger) {
                    for (identity, run) in findings.adopted { context.report(.adopted(identity, run)) }
                    for identity in findings.released { context.report(.released(identity)) }
                    return (ledger, findings)
                }
            } catch { throw .ledger(error) }
            // Another process has changed the flow, so merge the same listing into the new record.
            ledger = try await self.ledger()
        }
    }

    // MARK: The age of an open claim

    /// Returns the time until a listing can settle the claim of an open request: see
    /// `ClaimSettlementPolicy.hasExpired(_:by:)`.
    func timeLeft(of open: RecordedRun) -> Duration {
        let now = context.time.monotonic()
        let unseen = settle - (now - (firstSeen[open.claim?.id] ?? now))
        guard let age = age(of: open) else { return unseen }
        var left = settle - age
        if let claimed = open.claim?.time, let time = context.service.serviceTime() {
            left = max(left, claimed.latest + settle - time.earliest)
        }
        return min(unseen, left)
    }

    /// Returns the time since this machine made or first saw the claim, by its boot clock; `nil` if unknown.
    private func age(of open: RecordedRun?) -> Duration? {
        guard let claim = open?.claim?.id, let now = context.time.sinceBoot(),
            let claims = try? context.journal.claims(of: flow)
        else { return nil }
        return claims.first { $0.id == claim }?.madeAt.flatMap { now.elapsed(since: $0) }
    }

    // MARK: Read

    private func read(_ ledger: FlowLedger, _ depth: Depth) async throws(FlowServiceError) -> RunListing {
        var listing: RunListing
        do throws(FlowServiceError) {
            listing = try await pages(of: ledger, newestFirst: true, depth)
        } catch .refused(status: 400, _) {
            listing = try await pages(of: ledger, newestFirst: false, .full)
        }
        let asked = ledger.idsToAsk(
            besides: listing.runs, readsRunsUnderWay: readsRunsUnderWay, watched: watchedRuns)
        guard !asked.isEmpty else { return listing }
        let found = try await context.service.runs(ids: asked)
        return listing.adding(found.map(\.run).filter { context.isConclusive($0, for: ledger) })
    }

    private func pages(
        of ledger: FlowLedger, newestFirst: Bool, _ depth: Depth
    ) async throws(FlowServiceError) -> RunListing {
        let cutoff = ListingCutoff(ledger, settle: context.limits.settle)
        var runs: [ObservedRun] = []
        var seen: Set<RunID> = []
        var date: Timestamp?
        var isFirst = true
        let earliest = context.service.serviceTime()?.earliest
        var paging = Paging("/runs")
        while true {
            let page = try await context.service.runs(of: flow, newestFirst: newestFirst, after: paging.next)
            // If the service's clocks contradict each other, use the one that runs behind.
            if isFirst { date = (page.requestedAt ?? page.date).map { min($0, earliest ?? $0) } }
            isFirst = false
            let new = page.items.filter { seen.insert($0.id).inserted }
            runs += new
            if depth == .newest, page.next != nil, cutoff.isReached(by: runs, lastPage: page.items) {
                return RunListing(runs: runs, date: date, isComplete: false, readBackTo: runs.last?.createdAt)
            }
            guard try paging.advance(after: page, newItems: new.count) else {
                return RunListing(runs: runs, date: date, isComplete: true)
            }
        }
    }
}

/// An error that prevented the comparison of a flow with the service.
package enum RefreshError: Error, Hashable, Sendable {
    case ledger(LedgerError)
    case service(FlowServiceError)
}

extension RunListing {
    fileprivate func adding(_ others: [ObservedRun]) -> RunListing {
        RunListing(runs: runs + others, date: date, isComplete: isComplete, readBackTo: readBackTo)
    }
}

extension FlowLedger {
    /// Returns the IDs of unlisted runs to read by ID: those with an unknown window, unfinished runs, and watched runs.
    func idsToAsk(besides listed: [ObservedRun], readsRunsUnderWay: Bool, watched: Set<RunID> = []) -> [RunID] {
        let passedOver = Set(listed.map(\.id))
        return runs.filter { run in
            run.window == nil || (readsRunsUnderWay && run.state == .accepted)
                || (run.id.map(watched.contains) ?? false)
        }.compactMap(\.id).filter { !passedOver.contains($0) }
    }
}

extension ApplierContext {
    /// Whether the state of a run that was read only by ID may be recorded. Such a run is not read again once its end
    /// is recorded, but its counts and errors may appear later than its end.
    func isConclusive(_ run: ObservedRun, for ledger: FlowLedger) -> Bool {
        guard run.end != nil, !listsAtOnce, let endedAt = run.endedAt, let now = service.serviceTime()?.earliest,
            ledger.run(run.id)?.window != nil
        else { return true }
        return now - endedAt >= limits.settle
    }

    /// Commits the ledger's changes, if any.
    ///
    /// - Returns: `false` on a conflict.
    func commit(_ ledger: inout FlowLedger) async throws(LedgerError) -> Bool {
        guard ledger.hasChanges else { return true }
        let commit = ledger.commit(nonce: nonce())
        guard try await store.commit(commit) == .done else { return false }
        ledger.committed(commit)
        return true
    }
}

/// The point at which reading the newest runs can stop.
struct ListingCutoff {
    private let recorded: Set<RunID>
    /// Time before which the last comparison has seen all runs; `nil` when all runs must be read.
    private let since: Timestamp?

    init(_ ledger: FlowLedger, settle: Duration) {
        recorded = ledger.runIDs
        let open = ledger.openRequests
        let claims = open.compactMap { $0.claim?.time?.earliest }
        guard ledger.record.contactedAt != nil, let since = ledger.record.unlistedSince(settle: settle),
            claims.count == open.count
        else {
            self.since = nil
            return
        }
        self.since = min(since, claims.min().map { $0 - maxClockStep - .seconds(1) } ?? since)
    }

    /// Whether the last page contains nothing new and reaches back far enough. Requires a listing that is verifiably
    /// sorted by time, because a service may ignore the requested order.
    func isReached(by listed: [ObservedRun], lastPage: [ObservedRun]) -> Bool {
        guard let since, let first = listed.first, let last = listed.last, first.createdAt > last.createdAt,
            last.createdAt.milliseconds > 0, last.createdAt < since
        else { return false }
        return zip(listed, listed.dropFirst()).allSatisfy { $0.createdAt >= $1.createdAt }
            && lastPage.allSatisfy { recorded.contains($0.id) }
    }
}
