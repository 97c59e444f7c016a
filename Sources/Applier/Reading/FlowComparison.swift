import FlowRuns
import FlowService
import Ledger
import Manifests

/// Compares the ledger's record of one flow with the runs that the service lists, and commits what that brings.
struct FlowComparison {
    /// How much of a flow is read.
    enum Depth: Hashable, Sendable {
        /// Every run that the service has.
        case full
        /// The newest runs first, until a page holds nothing new and reaches back to before what the last look can have
        /// missed; every run where the service does not list by time.
        case newest
    }

    let flow: FlowID
    let context: ApplierContext
    private let settle: Duration
    private let acknowledged: Set<RunID>
    private let windows: [RunID: Window]
    /// When this process first saw an open claim: where the service tells no time, its `settle` runs from then.
    private var firstSeen: [ClaimID?: MonotonicInstant] = [:]
    /// See ``Settling/waitedFrom``.
    var waitedFrom: Revision?
    /// Whether runs that have not ended are asked for, wherever they are listed. Runs of unknown window always are.
    var readsRunsUnderWay = false

    init(_ flow: FlowID, acknowledged: [Acknowledgement], _ context: ApplierContext) {
        self.flow = flow
        self.context = context
        settle = context.limits.settle
        self.acknowledged = acknowledged.somebodyElses
        windows = acknowledged.toldWindows
    }

    /// The flow's ledger as it is now.
    mutating func ledger() async throws(RefreshError) -> FlowLedger {
        do throws(LedgerError) {
            let ledger = FlowLedger(try await context.store.snapshot(of: flow))
            for request in ledger.openRequests where firstSeen[request.claim?.id] == nil {
                firstSeen[request.claim?.id] = context.time.monotonic()
            }
            return ledger
        } catch { throw .ledger(error) }
    }

    /// For how long this process has seen the claim open.
    func seenFor(_ claim: ClaimID?) -> Duration {
        let now = context.time.monotonic()
        return now - (firstSeen[claim] ?? now)
    }

    /// Reads the service's runs and takes them over.
    ///
    /// - Parameter column: the column in the flow's `Copy` transformation, if the flow was read.
    /// - Returns: the ledger that the runs were compared with: the next claim expects its revision.
    mutating func compare(
        _ depth: Depth = .newest, column: DeltaColumn? = nil
    ) async throws(RefreshError) -> (FlowLedger, ListingFindings) {
        var ledger = try await ledger()
        let begun = context.time.monotonic()
        let listing: RunListing
        do { listing = try await read(ledger, depth) } catch { throw .service(error) }
        while true {
            let seen = ledger.openRequests.compactMap { firstSeen[$0.claim?.id] }.max() ?? begun
            if let findings = try await take(listing, seenFor: begun - seen, column, into: &ledger) {
                return (ledger, findings)
            }
            // Somebody else has changed the flow: the same listing is held against what is recorded now.
            ledger = try await self.ledger()
        }
    }

    /// Takes over runs that were listed together with other flows', without reading any.
    ///
    /// - Returns: `nil` where the flow must be read on its own by now.
    mutating func compare(
        with listing: RunListing, column: DeltaColumn?
    ) async throws(RefreshError) -> (FlowLedger, ListingFindings)? {
        while true {
            var ledger = try await ledger()
            guard GroupListing.mayTell(of: ledger) else { return nil }
            if let findings = try await take(listing, seenFor: .zero, column, into: &ledger) {
                return (ledger, findings)
            }
        }
    }

    /// - Returns: `nil` when the flow has another revision by now.
    private func take(
        _ listing: RunListing, seenFor: Duration, _ column: DeltaColumn?, into ledger: inout FlowLedger
    ) async throws(RefreshError) -> ListingFindings? {
        let settling = Settling(
            settle: settle, seenFor: seenFor, acknowledged: acknowledged, windows: windows, waitedFrom: waitedFrom)
        do throws(LedgerError) {
            let findings = try ledger.observe(listing, settling: settling, at: context.time.now())
            ledger.note(column: column)
            guard try await context.commit(&ledger) else { return nil }
            for (identity, run) in findings.adopted { context.report(.adopted(identity, run)) }
            for identity in findings.released { context.report(.released(identity)) }
            return findings
        } catch { throw .ledger(error) }
    }

    private func read(_ ledger: FlowLedger, _ depth: Depth) async throws(FlowServiceError) -> RunListing {
        var listing: RunListing
        do throws(FlowServiceError) {
            listing = try await pages(of: ledger, newestFirst: true, depth)
        } catch .refused(status: 400, _) {
            listing = try await pages(of: ledger, newestFirst: false, .full)
        }
        let asked = ledger.idsToAsk(
            besides: listing.runs, acknowledged: acknowledged, readsRunsUnderWay: readsRunsUnderWay)
        guard !asked.isEmpty else { return listing }
        return listing.adding(try await context.service.runs(ids: asked).map(\.run))
    }

    private func pages(
        of ledger: FlowLedger, newestFirst: Bool, _ depth: Depth
    ) async throws(FlowServiceError) -> RunListing {
        let goal = ReadingGoal(ledger, settle: settle)
        var runs: [ObservedRun] = []
        var seen: Set<RunID> = []
        var date: Timestamp?
        var isFirst = true
        var paging = Paging("/runs")
        while true {
            let page = try await context.service.runs(of: flow, newestFirst: newestFirst, after: paging.next)
            if isFirst { date = page.requestedAt ?? page.date }
            isFirst = false
            let new = page.items.filter { seen.insert($0.id).inserted }
            runs += new
            if depth == .newest, page.next != nil, goal.isReached(by: runs, lastPage: page.items) {
                return RunListing(runs: runs, date: date, isComplete: false, readBackTo: runs.last?.createdAt)
            }
            guard try paging.goOn(after: page, newItems: new.count) else {
                return RunListing(runs: runs, date: date, isComplete: true)
            }
        }
    }
}

/// Why a flow could not be compared with the service.
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
    /// The runs that are asked for by id: those whose window nobody knows, and those under way.
    func idsToAsk(besides listed: [ObservedRun], acknowledged: Set<RunID>, readsRunsUnderWay: Bool) -> [RunID] {
        let passedOver = acknowledged.union(listed.map(\.id))
        return runs.filter { $0.window == nil || (readsRunsUnderWay && $0.state == .accepted) }.compactMap(\.id)
            .filter { !passedOver.contains($0) }
    }
}

extension ApplierContext {
    /// Commits what the ledger has changed, if anything.
    ///
    /// - Returns: `false` on a conflict.
    func commit(_ ledger: inout FlowLedger) async throws(LedgerError) -> Bool {
        guard ledger.hasChanges else { return true }
        let commit = ledger.commit(nonce: nonce())
        guard try await make(commit) == .done else { return false }
        ledger.committed(commit)
        return true
    }

    /// When the store's answer is lost, the very same commit is made again: it ends in done or conflict.
    private func make(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        for _ in 0..<Self.commitAttempts {
            do throws(LedgerError) { return try await store.commit(commit) } catch .unanswered {
                await time.sleep(.seconds(1))
            }
        }
        return try await store.commit(commit)
    }

    private static let commitAttempts = 10
}
