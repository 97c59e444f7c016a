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
    let countsAsLook: Bool

    package init(runs: [ObservedRun], date: Timestamp?, isComplete: Bool, readBackTo: Timestamp? = nil) {
        self.runs = runs
        self.date = date
        self.isComplete = isComplete
        self.readBackTo = readBackTo
        countsAsLook = true
    }

    /// Runs that are surely the flow's, of which nobody can promise that no other is missing. They are recorded, settle
    /// nothing, and spare the next look nothing.
    package init(some runs: [ObservedRun]) {
        self.runs = runs
        date = nil
        isComplete = false
        readBackTo = nil
        countsAsLook = false
    }
}

/// By what a claim without an answer is settled.
package struct Settling: Sendable {
    /// How long after its claim a run is listed at the latest.
    package let settle: Duration
    /// For how long this process had seen the open claim when the listing began, on its own monotonic clock. It decides
    /// where the service tells no time, or a time that stands still.
    package let seenFor: Duration
    /// Runs of unknown window that the manifest calls somebody else's.
    package let acknowledged: Set<RunID>
    /// The windows that the manifest tells of runs whose window cannot be read.
    package let windows: [RunID: Window]
    /// The ledger's revision from which on the service had its time to list whatever was requested before; `nil` where
    /// nobody has waited.
    package let waitedFrom: Revision?

    package init(
        settle: Duration, seenFor: Duration = .zero, acknowledged: Set<RunID> = [], windows: [RunID: Window] = [:],
        waitedFrom: Revision? = nil
    ) {
        self.settle = settle
        self.seenFor = seenFor
        self.acknowledged = acknowledged
        self.windows = windows
        self.waitedFrom = waitedFrom
    }

    /// Whether the claim's time has passed: its run, if there is one, is in the listing.
    func isOver(_ request: RecordedRun, by listing: RunListing) -> Bool {
        if seenFor >= settle { return true }
        guard let date = listing.date, let claimed = request.claim?.time else { return false }
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
        _ listing: RunListing, settling: Settling, at now: Timestamp
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
        from listed: [ObservedRun], _ recorded: [RunID: RecordedRun], _ listing: RunListing, _ settling: Settling,
        _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) -> Set<RunID> {
        let ownClients = Set(listed.filter { recorded[$0.id]?.origin == .request }.compactMap(\.createdClient))
        var taken: Set<RunID> = []
        var undecided: Set<RunID> = []
        for request in openRequests {
            let candidates = listed.filter { run in
                !taken.contains(run.id) && recorded[run.id]?.window == nil
                    && (run.window ?? settling.windows[run.id]) == request.window
                    && request.mayBe(run, clockSetBackBy: settling.settle)
            }
            let since = candidates.filter { request.mayBe($0) }
            let own = since.first { $0.createdClient.map(ownClients.contains) ?? false }
            // While the request may as well be a run whose window nobody knows, another's run is not taken for it.
            let mayBeHidden = listed.contains { run in
                recorded[run.id]?.window == nil && (run.window ?? settling.windows[run.id]) == nil && request.mayBe(run)
            }
            let isDecided = settling.isOver(request, by: listing) && !mayBeHidden
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
        _ run: ObservedRun, _ known: RecordedRun?, _ settling: Settling, _ findings: inout ListingFindings,
        at now: Timestamp
    ) throws(LedgerError) {
        let window = run.window ?? settling.windows[run.id]
        if window == nil, known?.window == nil {
            if !settling.acknowledged.contains(run.id) {
                findings.unreadable.append(run)
            } else if openRequests.contains(where: { $0.mayBe(run) }) {
                findings.undecided.append(run)
            }
        }
        guard let known else {
            insert(LedgerEntry(run, identity: nextIdentity(window: window), at: now))
            findings.new += 1
            return
        }
        var identity = known.identity
        if known.window == nil, let window {
            identity = nextIdentity(window: window)
            try update(known.identity, .window(identity), at: now)
        }
        if known.state == .accepted {
            try update(identity, .observed(run), at: now)
            if run.end != nil { findings.ended += 1 }
        }
    }

    private mutating func release(
        by listing: RunListing, _ settling: Settling, _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) {
        guard findings.unreadable.isEmpty, findings.undecided.isEmpty else { return }
        for request in openRequests where settling.isOver(request, by: listing) && listing.reachesBack(before: request)
        {
            let reason = "not among the flow's runs when its time had passed"
            try update(request.identity, .outcome(.released(reason: reason)), at: now)
            findings.released.append(request.identity)
        }
    }

    /// What the next look has to know of this one.
    private mutating func note(_ listing: RunListing, _ settling: Settling, at now: Timestamp) {
        let newest = listing.runs.map(\.createdAt).max()
        let age = record.contactedAt.map { now - $0 }
        // Where the ledger has changed during the wait, it may have been restored once more.
        let isRechecked = settling.waitedFrom == base
        // A commit for the time alone is worth its cost once a minute, unless it would make others wait again.
        let isOld = age.map { $0 > .seconds(60) } ?? true
        let notesTime =
            hasChanges
            || (settling.waitedFrom != nil || isOld) && (isRechecked || !record.needsRecheck)
        amend { record in
            if let newest, listing.countsAsLook { record.newestRunAt = max(record.newestRunAt ?? newest, newest) }
            guard notesTime, listing.isComplete || record.contactedAt != nil else { return }
            record.contactedAt = max(record.contactedAt ?? now, now)
            guard listing.isComplete else { return }
            if isRechecked { record.needsRecheck = false }
            if let date = listing.date { record.comparedAt = max(record.comparedAt ?? date, date) }
        }
    }
}

extension RecordedRun {
    /// Whether the service's run can be this request: it was not made before the claim, as far as anybody can tell.
    ///
    /// - Parameter clockSetBackBy: how much the service's clock may have been set back since the claim at most. At the
    ///   end, when all is listed, it costs nothing to allow for it: which of a window's runs is whose does not matter
    ///   then, since all are counted.
    fileprivate func mayBe(_ run: ObservedRun, clockSetBackBy: Duration = .zero) -> Bool {
        guard let claimed = claim?.time, run.createdAt.milliseconds != 0 else { return true }
        return run.createdAt >= claimed.earliest - clockSetBackBy
    }
}

extension RunListing {
    /// Whether every listed run that was made since the request's claim was read.
    fileprivate func reachesBack(before request: RecordedRun) -> Bool {
        if isComplete { return true }
        guard let readBackTo, let claimed = request.claim?.time else { return false }
        return readBackTo < claimed.earliest - .seconds(1)
    }
}
