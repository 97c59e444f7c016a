import FlowRuns
import FlowService
import Ledger
import Manifests

/// Brings the ledger of one flow up to date with the service, and settles a claim whose answer is unknown.
///
/// Every decision is a pure function of what was read: ``LedgerStaleness`` for the ledger as a whole,
/// `ClaimSettlementPolicy` for an open claim.
struct FlowReconciler {
    let flow: FlowID
    let context: ApplierContext
    private let slots: Slots
    /// The flow whose manifest acknowledges runs: this flow, or the one that replaces it.
    private let acknowledgingFlow: String

    private var comparison: FlowComparison
    /// The flow's ledger as it was last compared with the service: a claim expects its revision.
    var ledger: FlowLedger
    /// Open requests whose run was found.
    private(set) var adopted: Set<RunIdentity> = []
    /// Journalled claims that this ledger does not contain, and for whose runs this process has waited.
    private var waitedFor: Set<ClaimID> = []
    /// Whether this process has waited for the run that `lastRunDetails` names.
    private var hasWaitedForLastRun = false
    /// When this process first saw that a run had failed.
    private var failureSeenAt: [RunID: MonotonicInstant] = [:]
    /// Attempts that were answered with a known run, and after which this process has waited.
    private var waitedAfter: Set<RunIdentity> = []

    init(
        _ flow: FlowID, acknowledged: [Acknowledgement], of acknowledgingFlow: FlowID, _ context: ApplierContext,
        slots: Slots
    ) {
        self.acknowledgingFlow = acknowledgingFlow == flow ? "the flow" : "flow \(acknowledgingFlow)"
        self.flow = flow
        self.context = context
        self.slots = slots
        comparison = FlowComparison(flow, acknowledged: acknowledged, context)
        ledger = .empty(flow)
    }

    /// Reads the ledger again. The old value is released first: it may hold a million runs.
    mutating func readLedger() async throws(FlowEnd) {
        ledger = .empty(flow)
        do { ledger = try await comparison.ledger() } catch { throw context.end(for: error) }
    }

    // MARK: Reconcile

    /// Compares the flow with the service before its first request, even if the ledger seems complete.
    ///
    /// - Parameter service: the flow as the service describes it; `nil` for a flow of which nothing is requested.
    mutating func reconcileOnStart(with service: ServiceFlow?) async throws(FlowEnd) {
        let isFirstContact = ledger.record.contactedAt == nil
        try await reconcile(isFirst: true, service)
        if isFirstContact {
            context.report(.contacted(flow, runsFound: ledger.runs.count { $0.origin == .service }))
        }
    }

    /// Compares the flow with the service once more, before further requests.
    mutating func reconcileAgain() async throws(FlowEnd) {
        // The ledger may have been replaced by an older one meanwhile.
        try await readLedger()
        try await reconcile(isFirst: false, nil)
    }

    private mutating func reconcile(isFirst: Bool, _ service: ServiceFlow?) async throws(FlowEnd) {
        switch try await confirmedStaleness(isFirst: isFirst) {
        case .trusted:
            try await compareUntilReadable(.newest, service)
        case .stale(let wait, let reason, let missing):
            comparison.waitedFrom = ledger.base
            if wait > .zero { try await waitWithoutSlot(wait, because: reason) }
            try await compareUntilReadable(.full, service)
            comparison.waitedFrom = nil
            waitedFor.formUnion(missing)
            do throws(LedgerError) {
                try context.journal.create()
                // Their runs are listed by now, so every later comparison finds them.
                try context.journal.remove(missing, of: flow)
            } catch { throw context.end(for: error) }
        }
    }

    /// Whether the ledger may lack recent requests. The journal is written before the ledger, so a journal-only claim gets
    /// a grace period before it counts as missing.
    private mutating func confirmedStaleness(isFirst: Bool) async throws(FlowEnd) -> LedgerStaleness {
        let first = try staleness(isFirst: isFirst)
        guard case .stale(_, _, let missing) = first, !missing.isEmpty else { return first }
        await context.time.pause(.milliseconds(500), unless: context.stop)
        try await readLedger()
        let second = try staleness(isFirst: isFirst)
        guard case .stale(_, _, let still) = second else { return .trusted }
        return still.isEmpty || still.contains(where: missing.contains) ? second : .trusted
    }

    private func staleness(isFirst: Bool) throws(FlowEnd) -> LedgerStaleness {
        let missing: [JournalClaim]
        do throws(LedgerError) { missing = missingClaims(of: try context.journal.claims(of: flow)) } catch {
            throw context.end(for: error)
        }
        let now = context.time.sinceBoot()
        return LedgerStaleness(
            needsRecheck: ledger.record.needsRecheck, hasJournal: !isFirst || context.hadJournal,
            missing: missing.map { claim in
                (claim.id, claim.madeAt.flatMap { madeAt in now.flatMap { $0.elapsed(since: madeAt) } })
            }, sinceStart: context.time.monotonic() - context.startedAt,
            settle: context.listingLag)
    }

    /// Returns this machine's claims that the ledger does not contain and for which this process has not waited yet. Claims
    /// are missing if the ledger is an older copy, another store, or the ledger of another folder.
    func missingClaims(of claims: [JournalClaim]) -> [JournalClaim] {
        claims.filter { !ledger.contains($0.id) && !waitedFor.contains($0.id) }
    }

    /// Compares the flow with the service, and waits for what the service may list or tell soon: the window of a new run,
    /// or the run that `lastRunDetails` names.
    ///
    /// - Throws: ``FlowEnd/held(_:)`` while the window of a run cannot be read.
    private mutating func compareUntilReadable(
        _ depth: FlowComparison.Depth, _ service: ServiceFlow?
    ) async throws(FlowEnd) {
        var waited = Duration.zero
        var pause = Duration.seconds(2)
        while true {
            let findings = try await compare(depth, service)
            let reason: String
            if let run = findings.unreadable.first {
                reason = "cannot read which window run \(run.id), made at \(run.createdAt), ingested"
                guard waited < context.limits.settle, isRecent(run) else {
                    throw .held(
                        "\(reason): look it up in the UI, then write under 'acknowledged' of \(acknowledgingFlow): "
                            + SuggestedYAML.acknowledgement(of: run.id, window: SuggestedYAML.window(nil)))
                }
            } else if let run = unlistedLastRun(of: service) {
                reason = "the service names run \(run) as the flow's last one, but does not list it yet"
                guard try await isExpectedInListing(run), waited < context.limits.settle else {
                    hasWaitedForLastRun = true
                    return
                }
            } else {
                return
            }
            try await context.wait(pause, for: flow, because: reason)
            waited += pause
            pause = min(pause * 2, .seconds(15))
        }
    }

    /// The run that `lastRunDetails` names and the ledger does not contain. A hint, never a proof: the listing lags.
    private func unlistedLastRun(of service: ServiceFlow?) -> RunID? {
        guard !hasWaitedForLastRun, !context.listsAtOnce, let run = service?.lastRun, !ledger.runIDs.contains(run)
        else {
            return nil
        }
        return run
    }

    /// Whether a run that is not listed may be listed soon: the service does not find it by its id either, or it is recent.
    /// An old one is no longer listed; it is recorded as found.
    private mutating func isExpectedInListing(_ id: RunID) async throws(FlowEnd) -> Bool {
        let found: ListedRun?
        do throws(FlowServiceError) { found = try await context.service.runs(ids: [id]).first } catch {
            throw context.end(for: error)
        }
        guard let found, found.flow == nil || found.flow == flow else { return true }
        if isRecent(found.run) { return true }
        try await record(found.run)
        return false
    }

    private func isRecent(_ run: ObservedRun) -> Bool {
        guard let now = context.service.serviceTime() else { return true }
        return now.earliest - run.createdAt < context.limits.settle
    }

    private mutating func compare(
        _ depth: FlowComparison.Depth = .newest, _ service: ServiceFlow? = nil
    ) async throws(FlowEnd) -> ListingFindings {
        let findings: ListingFindings
        ledger = .empty(flow)
        do { (ledger, findings) = try await comparison.compare(depth, column: service?.deltaColumn) } catch {
            throw context.end(for: error)
        }
        adopted.formUnion(findings.adopted.keys)
        return findings
    }

    /// Records a run that was read by its id.
    private mutating func record(_ run: ObservedRun) async throws(FlowEnd) {
        do throws(RefreshError) {
            let listing = RunListing(some: [run])
            if let (read, _) = try await comparison.merge(listing, column: nil) { ledger = read }
        } catch { throw context.end(for: error) }
    }

    // MARK: Settle an open claim

    /// Polls the service until no claim of the flow is open.
    ///
    /// - Throws: ``FlowEnd/held(_:)`` when a claim is still open after its time has passed.
    mutating func settleOpenClaim() async throws(FlowEnd) {
        var claim: ClaimID?
        var overdueCount = 0
        var pause = Duration.seconds(1)
        while !ledger.openRequests.isEmpty {
            try await waitWhileOwnerIsActive()
            let findings = try await compare()
            guard let open = ledger.openRequests.first else { return }
            if open.claim?.id != claim { (claim, overdueCount, pause) = (open.claim?.id, 0, .seconds(1)) }
            let left = comparison.timeLeft(of: open)
            if left <= .zero {
                if overdueCount == 0 { pause = .seconds(1) }
                overdueCount += 1
                if overdueCount > 3 { throw .held(blockingReason(of: open, findings)) }
            }
            let wait = left > .zero ? min(pause, left) : pause
            pause = min(pause * 2, .seconds(15))
            let reason = blockingReason(of: open, findings)
            if open.claim?.owner == context.owner {
                try await context.wait(wait, for: flow, because: reason)
            } else {
                try await waitWithoutSlot(wait, because: reason)
            }
        }
    }

    /// Waits while other processes keep making new claims; polling the service before that is pointless.
    private mutating func waitWhileOwnerIsActive() async throws(FlowEnd) {
        var seen: ClaimID?
        var pause = Duration.seconds(1)
        while let open = ledger.openRequests.first, let claim = open.claim, claim.owner != context.owner,
            claim.id != seen, comparison.timeLeft(of: open) > .zero
        {
            seen = claim.id
            try await waitWithoutSlot(
                pause, because: "\(claim.owner) is requesting \(open.window?.inWords ?? "an unknown window")")
            pause = min(pause * 2, .seconds(4))
            try await readLedger()
        }
    }

    /// Waits while other flows use this flow's slot.
    private func waitWithoutSlot(_ duration: Duration, because reason: String) async throws(FlowEnd) {
        await slots.release()
        var end: FlowEnd?
        do throws(FlowEnd) { try await context.wait(duration, for: flow, because: reason) } catch { end = error }
        await slots.acquire()
        if let end { throw end }
    }

    private func blockingReason(of open: RecordedRun, _ findings: ListingFindings) -> String {
        let window = open.window?.inWords ?? "an unknown window"
        let claimed = "the request for \(window), claimed at \(open.recordedAt)"
        let owner = open.claim.map { $0.owner == context.owner ? "" : " by \($0.owner)" } ?? ""
        if let run = findings.unreadable.first {
            return
                "\(claimed)\(owner), may be run \(run.id), whose window cannot be read: write under 'acknowledged' of "
                + "\(acknowledgingFlow): "
                + SuggestedYAML.acknowledgement(of: run.id, window: SuggestedYAML.window(nil))
        }
        if let run = findings.undecided.first {
            return "\(claimed)\(owner), may be run \(run.id), which is acknowledged without a window: add its "
                + "'window: \(SuggestedYAML.window(nil))'"
        }
        return "the service's answer to \(claimed)\(owner), never arrived; its run must be listed by then"
    }

    // MARK: Confirm a failure

    /// Waits until the service must list a run that an earlier attempt may have started.
    ///
    /// A re-trigger that was answered with the id of a recorded run may have started another one all the same.
    ///
    /// - Returns: whether it waited, so that the flow has to be compared with the service before another attempt.
    mutating func waitForUnnamedRun(of key: RunKey) async throws(FlowEnd) -> Bool {
        let unlisted = ledger.runs.attempts(at: key).last {
            $0.isAnsweredWithKnownRun && !waitedAfter.contains($0.identity)
        }
        guard let unlisted else { return false }
        if context.listingLag > .zero {
            try await waitWithoutSlot(
                context.listingLag,
                because: "the last re-trigger was answered with a known run, and may have started another")
        }
        waitedAfter.insert(unlisted.identity)
        return true
    }

    /// What became of a run that is to be retried.
    enum FailureCheck {
        case confirmed
        /// The run has another end by now, which is recorded.
        case changed
        /// The service is running it again under the same id.
        case restarted
    }

    /// Reads a failed run again before it is retried: its end may change until `settle` has passed, and a retry of a run
    /// that succeeds after all would ingest its window twice.
    mutating func checkFailure(of id: RunID) async throws(FlowEnd) -> FailureCheck {
        let seenAt = failureSeenAt[id] ?? context.time.monotonic()
        failureSeenAt[id] = seenAt
        while true {
            let found: ObservedRun?
            do throws(FlowServiceError) { found = try await context.service.runs(ids: [id]).first?.run } catch {
                throw context.end(for: error)
            }
            // A run that the service no longer knows cannot change.
            guard let found, let known = ledger.run(id) else { return .confirmed }
            guard let end = found.end else { return .restarted }
            guard end.state == known.state, found.counts.records ?? known.records == known.records else {
                try await record(found)
                return .changed
            }
            let unseen = context.listingLag - (context.time.monotonic() - seenAt)
            let age = found.endedAt.flatMap { endedAt in context.service.serviceTime().map { $0.earliest - endedAt } }
            let left = min(unseen, age.map { context.listingLag - $0 } ?? unseen)
            guard left > .zero else { return .confirmed }
            try await waitWithoutSlot(left, because: "run \(id) has \(known.state.rawValue), which may still change")
        }
    }
}

/// Whether a ledger may lack requests that were made a moment ago.
enum LedgerStaleness: Hashable {
    /// The ledger has every request that this machine knows of.
    case trusted
    /// Wait until the service must list the missing requests, then compare in full.
    case stale(wait: Duration, reason: String, missing: [ClaimID])

    /// - Parameters:
    ///   - needsRecheck: the ledger was restored or imported, or its server may have lost commits.
    ///   - hasJournal: this machine has a record of its recent requests.
    ///   - missing: journalled claims that the ledger does not contain, with their age by the machine's boot clock; `nil`
    ///     for a claim of another boot.
    ///   - sinceStart: how long this process has been running.
    ///   - settle: within this time after its claim a run is listed.
    init(
        needsRecheck: Bool, hasJournal: Bool, missing: [(id: ClaimID, age: Duration?)], sinceStart: Duration,
        settle: Duration
    ) {
        let ids = missing.map(\.id)
        let missingWait = missing.map { max(.zero, settle - ($0.age ?? .zero)) }.max() ?? .zero
        if needsRecheck {
            // From now on: another process may have set the flag a moment ago.
            self = .stale(
                wait: settle,
                reason: "the ledger was restored or exchanged, and recent requests may not be listed yet",
                missing: ids)
        } else if !hasJournal {
            self = .stale(
                wait: max(.zero, settle - sinceStart, missingWait),
                reason:
                    "this machine has no record of earlier requests, and recent ones may not be listed yet",
                missing: ids)
        } else if !missing.isEmpty {
            self = .stale(
                wait: missingWait,
                reason: "a request that this machine made is not in this ledger, and may not be listed yet",
                missing: ids)
        } else {
            self = .trusted
        }
    }
}
