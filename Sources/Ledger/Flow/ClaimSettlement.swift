import FlowRuns

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

    /// Whether neither the service, nor the ledger, nor the manifest says which window a listed run ingested.
    func isUnreadable(_ sighting: Sighting) -> Bool {
        sighting.run.window == nil && sighting.known?.window == nil && !acknowledgedWindows.contains(sighting.run.id)
    }

    /// Whether a listed run can be the answer to an open request. It is a run of the same window that is not recorded, or
    /// that is recorded with an unknown window, unless the manifest acknowledges that window.
    func isCandidate(_ sighting: Sighting, for request: RecordedRun) -> Bool {
        guard sighting.run.window == request.window else { return false }
        guard let known = sighting.known else {
            return request.couldBe(sighting.run, clockSetBackBy: max(settle, maxClockStep))
        }
        return known.window == nil && !acknowledgedWindows.contains(sighting.run.id) && request.couldBe(sighting.run)
    }

    /// Returns what a listing proves about an open request.
    func evidence(
        about request: RecordedRun, from sightings: [Sighting], in listing: RunListing
    ) -> ClaimDecision.Evidence {
        guard hasExpired(request, by: listing) else { return .early }
        let unreadable = sightings.filter(isUnreadable)
        if unreadable.contains(where: { request.couldBe($0.run) }) { return .ambiguous }
        let isReadable = unreadable.allSatisfy { acknowledged.contains($0.run.id) }
        return isReadable && listing.reachesBack(before: request) ? .complete : .incomplete
    }
}

/// A listed run, and what the ledger records of it.
struct Sighting {
    let run: ObservedRun
    let known: RecordedRun?
}

/// The table of what becomes of an open request, by the runs that can be its answer and by what a listing proves.
///
/// | candidates | early | ambiguous | incomplete | complete |
/// | --- | --- | --- | --- | --- |
/// | own | adopt it | adopt it | adopt the oldest | adopt the oldest |
/// | foreign | wait | wait | adopt the oldest | adopt the oldest |
/// | none | wait | wait | wait | release |
///
/// A request is thus settled once. The first row is a shortcut: a person's run in the UI has another client.
enum ClaimDecision: Hashable, Sendable, CaseIterable {
    /// Adopt the oldest candidate that was created since the claim by a client of our own.
    case adoptOwn
    /// Adopt the oldest candidate created since the claim, or else the oldest one.
    case adoptOldest
    case wait
    case release

    /// The listed runs that can be the answer to a request.
    enum Candidates: Hashable, Sendable, CaseIterable {
        /// One was created since the claim by the same client as runs known to be our own.
        case own
        case foreign
        case none
    }

    /// What a listing proves about a request.
    enum Evidence: Hashable, Sendable, CaseIterable {
        /// The claim has not expired: the request's run may be listed later.
        case early
        /// The claim has expired, but the request's run may be one whose window cannot be read.
        case ambiguous
        /// The request's run is a candidate if there is one, but runs may be missing from the listing, or hold the flow.
        case incomplete
        /// Every run since the claim is listed with its window.
        case complete
    }

    init(_ candidates: Candidates, _ evidence: Evidence) {
        self =
            switch (candidates, evidence) {
            case (.own, .early), (.own, .ambiguous): .adoptOwn
            case (.own, .incomplete), (.own, .complete): .adoptOldest
            case (.foreign, .early), (.foreign, .ambiguous): .wait
            case (.foreign, .incomplete), (.foreign, .complete): .adoptOldest
            case (.none, .early), (.none, .ambiguous), (.none, .incomplete): .wait
            case (.none, .complete): .release
            }
    }
}

extension RecordedRun {
    /// Whether a run on the service can be the run of this request: it was not created before the claim.
    ///
    /// - Parameter clockSetBackBy: the maximum time by which the service's clock may have been set back since the claim.
    ///   Once the claim has expired, the allowance is harmless: all runs of the window are counted then.
    func couldBe(_ run: ObservedRun, clockSetBackBy: Duration = .zero) -> Bool {
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
