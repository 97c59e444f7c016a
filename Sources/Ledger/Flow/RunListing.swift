import FlowRuns

/// A flow's runs as the service listed them, from one reading of its pages.
package struct RunListing: Sendable {
    /// The listed runs, each once.
    package let runs: [ObservedRun]
    /// The lower bound of the service's time when the listing began; `nil` if its answers had no `Date`.
    package let date: Timestamp?
    /// Whether every page was read.
    package let isComplete: Bool
    /// The time back to which a listing of the newest runs was read; `nil` for other listings.
    package let readBackTo: Timestamp?
    /// Whether the listing moves the watermark, so that the next listing can stop earlier.
    let advancesWatermark: Bool

    package init(runs: [ObservedRun], date: Timestamp?, isComplete: Bool, readBackTo: Timestamp? = nil) {
        self.runs = runs
        self.date = date
        self.isComplete = isComplete
        self.readBackTo = readBackTo
        advancesWatermark = true
    }

    /// An incomplete listing: its runs are recorded, but it cannot settle claims or advance the watermark.
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
    /// The maximum time from a claim until its run is listed.
    package let settle: Duration
    /// How long this process had seen the open claim when the listing began, by its own monotonic clock.
    package let seenFor: Duration
    /// How long the claim had existed when the listing began, by this machine's boot clock; `nil` for a claim of another
    /// machine or another boot.
    package let age: Duration?
    /// Runs of unknown window that the manifest acknowledges without a window: they count for nothing.
    package let acknowledged: Set<RunID>
    /// Runs of unknown window whose window the manifest gives. The planner uses that window, but it is not recorded: the
    /// manifest may be corrected, and a window that the service reports takes precedence.
    package let acknowledgedWindows: Set<RunID>
    /// The ledger's revision at the start of a wait of `settle`, after which every earlier request is listed; `nil` without
    /// such a wait.
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

    /// Whether enough time has passed since the claim that the listing contains its run if the service accepted the
    /// request.
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

/// The changes that a listing led to.
package struct ListingFindings: Hashable, Sendable {
    /// The number of listed runs.
    package var read = 0
    /// The number of listed runs that the ledger did not contain, except answers to open requests.
    package var new = 0
    /// The number of runs whose end is new.
    package var ended = 0
    /// Open requests that the service accepted, with their runs.
    package var adopted: [RunIdentity: RunID] = [:]
    /// Open requests that the service did not accept.
    package var released: [RunIdentity] = []
    /// Runs whose window cannot be read and that no manifest acknowledges. While there is one, no request of the
    /// flow is claimed or released.
    package var unreadable: [ObservedRun] = []
    /// Runs that the manifest acknowledges without a window, and that may be the answer to an open request.
    package var undecided: [ObservedRun] = []

    package init() {}
}

extension FlowLedger {
    /// Merges a listing: records new runs and the ends of known ones, and settles open requests.
    ///
    /// An open request is settled once, by a listing that began after its claim expired and reaches back to before the
    /// claim: the window's oldest run that is not recorded is adopted, otherwise the request is released. Until then the
    /// unrecorded runs of its window are neither recorded nor counted. There is one shortcut: an unrecorded run of the
    /// window, made since the claim by the same client as runs known to be our own, is adopted at once; a person's run in
    /// the UI has another client.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` when the listing contradicts the ledger.
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
        recordProgress(of: listing, settling, at: now)
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

    /// Adopts runs as answers to open requests.
    ///
    /// - Returns: the adopted runs, and those that may still be the answer to a request whose claim has not expired.
    private mutating func adopt(
        from listed: [ObservedRun], _ recorded: [RunID: RecordedRun], _ listing: RunListing,
        _ settling: ClaimSettlementPolicy,
        _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) -> Set<RunID> {
        let ownClients = Set(listed.filter { recorded[$0.id]?.origin == .request }.compactMap(\.createdClient))
        var adopted: Set<RunID> = []
        var undecided: Set<RunID> = []
        for request in openRequests {
            let candidates = listed.filter { run in
                guard !adopted.contains(run.id), run.window == request.window else { return false }
                guard let known = recorded[run.id] else {
                    return request.couldBe(run, clockSetBackBy: max(settling.settle, maxClockStep))
                }
                // A recorded run of unknown window is a candidate too, unless the manifest acknowledges its window.
                return known.window == nil && !settling.acknowledgedWindows.contains(run.id) && request.couldBe(run)
            }
            let since = candidates.filter { request.couldBe($0) }
            let own = since.first { $0.createdClient.map(ownClients.contains) ?? false }
            // The request's own run may be one whose window cannot be read, so adopt no other run for the request.
            let couldBeUnreadable = listed.contains { run in
                recorded[run.id]?.window == nil && run.window == nil
                    && !settling.acknowledgedWindows.contains(run.id) && request.couldBe(run)
            }
            let isDecided = settling.hasExpired(request, by: listing) && !couldBeUnreadable
            guard let run = isDecided ? since.first ?? candidates.first : own else {
                undecided.formUnion(candidates.map(\.id))
                continue
            }
            adopted.insert(run.id)
            if let sighting = recorded[run.id] { remove(sighting.identity) }
            try update(request.identity, .outcome(.accepted(run.id, response: nil)), at: now)
            try update(request.identity, .observed(run), at: now)
            findings.adopted[request.identity] = run.id
        }
        return undecided.union(adopted)
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
        // Update ended runs as long as they are listed, because counts and errors may arrive after the end.
        guard known.state == .accepted || observed != known, !isReplacedByRetry(known, ifEnded: run.end) else { return }
        try update(identity, .observed(run), at: now)
        if known.state == .accepted, run.end != nil { findings.ended += 1 }
    }

    /// Whether a retry of this failed run is running or has ingested records. If so, the run's row keeps its recorded
    /// end even if the service now reports success, because a window has at most one active request.
    private func isReplacedByRetry(_ known: RecordedRun, ifEnded end: RunEnd?) -> Bool {
        guard known.origin == .request, !known.isActiveRequest, end?.state == .succeeded else { return false }
        return runs.attempts(at: known.identity.key).contains { $0.identity != known.identity && $0.isActiveRequest }
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

    /// Records how far the next listing has to read back, and when this one was made.
    private mutating func recordProgress(of listing: RunListing, _ settling: ClaimSettlementPolicy, at now: Timestamp) {
        // Ignore creation times ahead of the service's clock: as a watermark, they would hide later runs.
        let latestPlausible = (listing.date ?? now + .seconds(86_400)) + maxClockStep
        let times = listing.runs.map(\.createdAt) + (record.newestRunAt.map { [$0] } ?? [])
        let newest = times.filter { $0 <= latestPlausible }.max()
        let age = record.contactedAt.map { now - $0 }
        // If the ledger changed during the wait, it may have been restored again, and the recheck does not count.
        let isRechecked = settling.waitedFrom == base
        // The contact time alone is committed at most once a minute, and not while a recheck is pending: the new
        // revision would make the process that rechecks wait again.
        let isOld = age.map { $0 > .seconds(60) || $0 < .zero } ?? true
        let recordsContactTime =
            hasChanges
            || (settling.waitedFrom != nil || isOld) && (isRechecked || !record.needsRecheck)
        amend { record in
            if listing.advancesWatermark, !listing.runs.isEmpty { record.newestRunAt = newest }
            guard recordsContactTime, listing.isComplete || record.contactedAt != nil else { return }
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
    /// The time before which the last listing contained every run; `nil` before the first listing. Newer runs may have
    /// been missing, because a run is listed up to `settle` late and the clocks of the service may differ.
    package func unlistedSince(settle: Duration) -> Timestamp? { newestRunAt.map { $0 - settle - maxClockStep } }
}

extension RecordedRun {
    /// Whether a run on the service can be the run of this request: it was not created before the claim.
    ///
    /// - Parameter clockSetBackBy: the maximum time by which the service's clock may have been set back since the claim.
    ///   Once the claim has expired, the allowance is harmless: all runs of the window are counted then.
    fileprivate func couldBe(_ run: ObservedRun, clockSetBackBy: Duration = .zero) -> Bool {
        guard let claimed = claim?.time, run.createdAt.milliseconds != 0 else { return true }
        return run.createdAt >= claimed.earliest - clockSetBackBy
    }
}

extension RunListing {
    /// Whether the listing includes every run that was created since the request's claim.
    fileprivate func reachesBack(before request: RecordedRun) -> Bool {
        if isComplete { return true }
        guard let readBackTo, let claimed = request.claim?.time else { return false }
        return readBackTo < claimed.earliest - maxClockStep
    }
}
