import FlowRuns

/// A flow's runs as the service listed them, from one reading of its pages.
package struct RunListing: Sendable {
    /// Each once.
    package let runs: [ObservedRun]
    /// The service's time when it answered the first page, in whole seconds; `nil` where it tells none.
    package let date: Timestamp?
    /// Whether every page was read.
    package let isComplete: Bool
    /// Where not every page was read, newest first: every run made after this time was, as far as it was listed.
    package let readBackTo: Timestamp?
    /// Whether the next look need not read again what this one has read.
    let advancesWatermark: Bool

    package init(runs: [ObservedRun], date: Timestamp?, isComplete: Bool, readBackTo: Timestamp? = nil) {
        self.runs = runs
        self.date = date
        self.isComplete = isComplete
        self.readBackTo = readBackTo
        advancesWatermark = true
    }

    /// Runs that are surely the flow's, of which nobody can promise that no other is missing. They are recorded, settle
    /// nothing, and spare the next look nothing.
    package init(some runs: [ObservedRun]) {
        self.runs = runs
        date = nil
        isComplete = false
        readBackTo = nil
        advancesWatermark = false
    }
}

/// Rules that decide what became of an unanswered claim.
package struct ClaimSettlementPolicy: Sendable {
    /// How long after its claim a run is listed at the latest.
    package let settle: Duration
    /// How long this process had seen the open claim when the listing began, by its own monotonic clock.
    package let seenFor: Duration
    /// How long the claim had existed when the listing began, by this machine's boot clock; `nil` for a claim of another
    /// machine or another boot.
    package let age: Duration?
    /// Runs of unknown window that the manifest acknowledges without a window: they count for nothing.
    package let acknowledged: Set<RunID>
    /// Runs of unknown window whose window the manifest gives. It counts at planning and is not recorded, so that the
    /// manifest can be corrected and the service's own word wins.
    package let acknowledgedWindows: Set<RunID>
    /// The ledger's revision from which on the service had its time to list whatever was requested before; `nil` where
    /// nobody has waited.
    package let waitedFrom: Revision?

    package init(
        settle: Duration, seenFor: Duration = .zero, age: Duration? = nil, acknowledged: Set<RunID> = [],
        acknowledgedWindows: Set<RunID> = [], waitedFrom: Revision? = nil
    ) {
        self.settle = settle
        self.seenFor = seenFor
        self.age = age
        self.acknowledged = acknowledged
        self.acknowledgedWindows = acknowledgedWindows
        self.waitedFrom = waitedFrom
    }

    /// Whether the claim's time has passed, so that its run is in the listing if the service took the request.
    ///
    /// The service's `Date` alone never decides: it may jump, and a cached listing has an old one. Either this process
    /// has waited itself, or the machine's boot clock and the `Date` agree that enough time has passed.
    func hasExpired(_ request: RecordedRun, by listing: RunListing) -> Bool {
        if seenFor >= settle { return true }
        guard let age, age >= settle else { return false }
        guard let date = listing.date, let claimed = request.claim?.time else { return listing.date == nil }
        return date >= claimed.latest + settle
    }
}

/// What a listing brought.
package struct ListingFindings: Hashable, Sendable {
    /// How many runs were listed.
    package var read = 0
    /// How many of them the ledger did not know, its open requests aside.
    package var new = 0
    /// How many had not ended before, and have now.
    package var ended = 0
    /// Open requests that the service has taken.
    package var adopted: [RunIdentity: RunID] = [:]
    /// Open requests that the service surely does not have.
    package var released: [RunIdentity] = []
    /// Runs whose window cannot be read and that no manifest acknowledges: while one is there, nothing of the flow is
    /// claimed or released.
    package var unreadable: [ObservedRun] = []
    /// Runs that the manifest calls somebody else's, without telling their window, and that may be an open request.
    package var undecided: [ObservedRun] = []

    package init() {}
}

extension FlowLedger {
    /// Takes over what the service listed: the ends of runs, runs that nobody recorded, and what became of the open
    /// requests.
    ///
    /// An open request is settled once, by a listing begun after its claim's time + `settle` and read back to before
    /// the claim: the window's oldest run that is not recorded is adopted, or else the request is released. Until then
    /// the unrecorded runs of its window are neither recorded nor counted. One shortcut: an unrecorded run of the window
    /// made since the claim by the client that made runs which are known as our own is adopted at once; a person's run
    /// in the user interface has another client.
    package mutating func observe(
        _ listing: RunListing, settling: ClaimSettlementPolicy, at now: Timestamp
    ) throws(LedgerError) -> ListingFindings {
        var findings = ListingFindings()
        findings.read = listing.runs.count
        let oldestFirst = listing.runs.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        let recorded = recordedRuns(among: oldestFirst)
        let settled = try adopt(from: oldestFirst, recorded, listing, settling, &findings, at: now)
        for run in oldestFirst where !settled.contains(run.id) {
            try record(run, recorded[run.id], settling, &findings, at: now)
        }
        try release(by: listing, settling, &findings, at: now)
        note(listing, settling, at: now)
        return findings
    }

    private func recordedRuns(among listed: [ObservedRun]) -> [RunID: RecordedRun] {
        let ids = Set(listed.map(\.id))
        var recorded: [RunID: RecordedRun] = [:]
        for run in runs {
            if let id = run.id, ids.contains(id) { recorded[id] = run }
        }
        return recorded
    }

    /// - Returns: the adopted runs, and those that may be an open request still: left alone until its time has passed.
    private mutating func adopt(
        from listed: [ObservedRun], _ recorded: [RunID: RecordedRun], _ listing: RunListing,
        _ settling: ClaimSettlementPolicy,
        _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) -> Set<RunID> {
        let ownClients = Set(listed.filter { recorded[$0.id]?.origin == .request }.compactMap(\.createdClient))
        var taken: Set<RunID> = []
        var undecided: Set<RunID> = []
        for request in openRequests {
            let candidates = listed.filter { run in
                guard !taken.contains(run.id), run.window == request.window else { return false }
                guard let known = recorded[run.id] else {
                    return request.couldBe(run, clockSetBackBy: max(settling.settle, maxClockStep))
                }
                // Recorded before the claim, an acknowledged run counts for the window as it is.
                return known.window == nil && !settling.acknowledgedWindows.contains(run.id) && request.couldBe(run)
            }
            let since = candidates.filter { request.couldBe($0) }
            let own = since.first { $0.createdClient.map(ownClients.contains) ?? false }
            // While the request may as well be a run whose window nobody knows, another's run is not taken for it.
            let mayBeHidden = listed.contains { run in
                recorded[run.id]?.window == nil && run.window == nil
                    && !settling.acknowledgedWindows.contains(run.id) && request.couldBe(run)
            }
            let isDecided = settling.hasExpired(request, by: listing) && !mayBeHidden
            guard let run = isDecided ? since.first ?? candidates.first : own else {
                undecided.formUnion(candidates.map(\.id))
                continue
            }
            taken.insert(run.id)
            if let sighting = recorded[run.id] { remove(sighting.identity) }
            try update(request.identity, .outcome(.accepted(run.id, response: nil)), at: now)
            try update(request.identity, .observed(run), at: now)
            findings.adopted[request.identity] = run.id
        }
        return undecided.union(taken)
    }

    private mutating func record(
        _ run: ObservedRun, _ known: RecordedRun?, _ settling: ClaimSettlementPolicy, _ findings: inout ListingFindings,
        at now: Timestamp
    ) throws(LedgerError) {
        let window = run.window ?? known?.window
        if window == nil, !settling.acknowledgedWindows.contains(run.id) {
            if !settling.acknowledged.contains(run.id) {
                findings.unreadable.append(run)
            } else if openRequests.contains(where: { $0.couldBe(run) }) {
                findings.undecided.append(run)
            }
        }
        guard let known else {
            insert(LedgerEntry(run, identity: nextIdentity(window: window), at: now))
            findings.new += 1
            return
        }
        var identity = known.identity
        if known.origin == .service, let window = run.window, known.window != window {
            identity = nextIdentity(window: window)
            try update(known.identity, .window(identity), at: now)
        }
        var observed = known
        try observed.apply(.observed(run))
        // A run that has ended is read again as long as it is listed: its counts and errors may come later than its end.
        guard known.state == .accepted || observed != known, !isReplacedByRetry(known, ifEnded: run.end) else { return }
        try update(identity, .observed(run), at: now)
        if known.state == .accepted, run.end != nil { findings.ended += 1 }
    }

    /// Whether another request for the window is under way or has brought records, so that this run, which was retried
    /// as failed, cannot become a second living one. Its row then keeps the earlier end.
    private func isReplacedByRetry(_ known: RecordedRun, ifEnded end: RunEnd?) -> Bool {
        guard known.origin == .request, !known.isLivingRequest, end?.state == .succeeded else { return false }
        return runs.attempts(at: known.identity.key).contains { $0.identity != known.identity && $0.isLivingRequest }
    }

    private mutating func release(
        by listing: RunListing, _ settling: ClaimSettlementPolicy, _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) {
        guard findings.unreadable.isEmpty, findings.undecided.isEmpty else { return }
        for request in openRequests
        where settling.hasExpired(request, by: listing) && listing.reachesBack(before: request) {
            let reason = "not among the flow's runs when its time had passed"
            try update(request.identity, .outcome(.released(reason: reason)), at: now)
            findings.released.append(request.identity)
        }
    }

    /// What the next look has to know of this one.
    private mutating func note(_ listing: RunListing, _ settling: ClaimSettlementPolicy, at now: Timestamp) {
        // A creation time ahead of the service's own clock would hide later runs from every later look.
        let latestPlausible = (listing.date ?? now + .seconds(86_400)) + maxClockStep
        let times = listing.runs.map(\.createdAt) + (record.newestRunAt.map { [$0] } ?? [])
        let newest = times.filter { $0 <= latestPlausible }.max()
        let age = record.contactedAt.map { now - $0 }
        // Where the ledger has changed during the wait, it may have been restored once more.
        let isRechecked = settling.waitedFrom == base
        // A commit for the time alone is worth its cost once a minute, unless it would make others wait again.
        let isOld = age.map { $0 > .seconds(60) } ?? true
        let notesTime =
            hasChanges
            || (settling.waitedFrom != nil || isOld) && (isRechecked || !record.needsRecheck)
        amend { record in
            if listing.advancesWatermark, !listing.runs.isEmpty { record.newestRunAt = newest }
            guard notesTime, listing.isComplete || record.contactedAt != nil else { return }
            record.contactedAt = now
            guard listing.isComplete else { return }
            if isRechecked { record.needsRecheck = false }
            if let date = listing.date { record.comparedAt = date }
        }
    }
}

/// How far the service's clock may have been set back between a request and the creation of its run.
package let maxClockStep = Duration.seconds(3_600)

extension FlowRecord {
    /// Every run made before this time was listed at the last look; `nil` before the first one. Later ones may hide
    /// behind known runs, since a run is listed up to `settle` late and clocks of the service may differ.
    package func unlistedSince(settle: Duration) -> Timestamp? { newestRunAt.map { $0 - settle - maxClockStep } }
}

extension RecordedRun {
    /// Whether the service's run can be this request: it was not made before the claim, as far as anybody can tell.
    ///
    /// - Parameter clockSetBackBy: how much the service's clock may have been set back since the claim at most. At the
    ///   end, when all is listed, it costs nothing to allow for it: which of a window's runs is whose does not matter
    ///   then, since all are counted.
    fileprivate func couldBe(_ run: ObservedRun, clockSetBackBy: Duration = .zero) -> Bool {
        guard let claimed = claim?.time, run.createdAt.milliseconds != 0 else { return true }
        return run.createdAt >= claimed.earliest - clockSetBackBy
    }
}

extension RunListing {
    /// Whether every listed run that was made since the request's claim was read.
    fileprivate func reachesBack(before request: RecordedRun) -> Bool {
        if isComplete { return true }
        guard let readBackTo, let claimed = request.claim?.time else { return false }
        return readBackTo < claimed.earliest - maxClockStep
    }
}
