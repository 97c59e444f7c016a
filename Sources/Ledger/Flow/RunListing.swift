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

/// The counts of a listing. The raw values are the names in JSON.
package enum ListingCount: String, Hashable, Sendable, CaseIterable {
    /// Listed runs.
    case read
    /// Listed runs that the ledger did not contain, except answers to open requests.
    case new
    /// Runs whose end is new.
    case ended
    /// Requests whose outcome is still unknown.
    case inDoubt
}

/// The changes that a listing led to.
package struct ListingFindings: Hashable, Sendable {
    package var counts = Tally<ListingCount>()
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
    /// `ClaimDecision` is the table of what becomes of an open request. Until it is settled, the unrecorded runs of its
    /// window are neither recorded nor counted.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` when the listing contradicts the ledger.
    package mutating func observe(
        _ listing: RunListing, settling: ClaimSettlementPolicy, at now: Timestamp
    ) throws(LedgerError) -> ListingFindings {
        var findings = ListingFindings()
        findings.counts[.read] = listing.runs.count
        let sightings = sightings(in: listing)
        // Adopt before recording, or an answer to an open request would become a run of its own. Release last: while a
        // request of its window is open, a failed run keeps its recorded end.
        let (settled, released) = try adopt(from: sightings, listing, settling, &findings, at: now)
        for sighting in sightings where !settled.contains(sighting.run.id) {
            try record(sighting, settling, &findings, at: now)
        }
        for request in released {
            let reason = "not among the flow's runs when its time had passed"
            try update(request, .outcome(.released(reason: reason)), at: now)
        }
        findings.released = released
        findings.counts[.inDoubt] = openRequests.count
        recordProgress(of: listing, settling, at: now)
        return findings
    }

    /// The listed runs, oldest first, with what is recorded of them.
    private func sightings(in listing: RunListing) -> [Sighting] {
        let ids = Set(listing.runs.map(\.id))
        var recorded: [RunID: RecordedRun] = [:]
        for run in runs {
            if let id = run.id, ids.contains(id) { recorded[id] = run }
        }
        return listing.runs.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            .map { Sighting(run: $0, known: recorded[$0.id]) }
    }

    /// Decides on each open request, and adopts runs as answers.
    ///
    /// - Returns: the adopted runs and those that may still be the answer to a request, which must not be recorded; and the
    ///   requests to release.
    private mutating func adopt(
        from sightings: [Sighting], _ listing: RunListing, _ settling: ClaimSettlementPolicy,
        _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) -> (settled: Set<RunID>, released: [RunIdentity]) {
        let ownClients = Set(sightings.filter { $0.known?.origin == .request }.compactMap(\.run.createdClient))
        var adopted: Set<RunID> = []
        var undecided: Set<RunID> = []
        var released: [RunIdentity] = []
        for request in openRequests {
            let candidates = sightings.filter { !adopted.contains($0.run.id) && settling.isCandidate($0, for: request) }
            let since = candidates.filter { request.couldBe($0.run) }
            let own = since.first { $0.run.createdClient.map(ownClients.contains) ?? false }
            let evidence = settling.evidence(about: request, from: sightings, in: listing)
            let decision = ClaimDecision(own != nil ? .own : candidates.isEmpty ? .none : .foreign, evidence)
            switch decision {
            case .adoptOwn, .adoptOldest:
                guard let found = decision == .adoptOwn ? own : since.first ?? candidates.first else { continue }
                adopted.insert(found.run.id)
                if let known = found.known { remove(known.identity) }
                try update(request.identity, .outcome(.accepted(found.run.id, response: nil)), at: now)
                try update(request.identity, .observed(found.run), at: now)
                findings.adopted[request.identity] = found.run.id
            case .wait: undecided.formUnion(candidates.map(\.run.id))
            case .release: released.append(request.identity)
            }
        }
        return (undecided.union(adopted), released)
    }

    private mutating func record(
        _ sighting: Sighting, _ settling: ClaimSettlementPolicy, _ findings: inout ListingFindings, at now: Timestamp
    ) throws(LedgerError) {
        let run = sighting.run
        if settling.isUnreadable(sighting) {
            if !settling.acknowledged.contains(run.id) {
                findings.unreadable.append(run)
            } else if openRequests.contains(where: { $0.couldBe(run) }) {
                findings.undecided.append(run)
            }
        }
        guard let known = sighting.known else {
            insert(LedgerEntry(run, identity: nextIdentity(window: run.window), at: now))
            findings.counts[.new] += 1
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
        if known.state == .accepted, run.end != nil { findings.counts[.ended] += 1 }
    }

    /// Whether a retry of this failed run is running or has ingested records. If so, the run's row keeps its recorded
    /// end even if the service now reports success, because a window has at most one active request.
    private func isReplacedByRetry(_ known: RecordedRun, ifEnded end: RunEnd?) -> Bool {
        guard known.origin == .request, !known.isActiveRequest, end?.state == .succeeded else { return false }
        return runs.attempts(at: known.identity.key).contains { $0.identity != known.identity && $0.isActiveRequest }
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
