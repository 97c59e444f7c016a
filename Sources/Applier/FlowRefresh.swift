import FlowRuns
import FlowService
import Ledger

/// Reads what the service itself knows of a flow into the ledger. The first time is the flow's *first contact*.
///
/// The caller holds the flow's lock: a request in flight elsewhere would look like somebody else's run.
public struct FlowRefresh: Sendable {
    let ledger: any Ledger
    let service: any FlowService
    let time: any Timekeeper

    public init(ledger: any Ledger, service: any FlowService, time: any Timekeeper) {
        self.ledger = ledger
        self.service = service
        self.time = time
    }

    /// What a refresh found.
    public struct Findings: Hashable, Sendable {
        /// How many runs the service has.
        public let runsFound: Int
        /// Doubtful requests that turned out to have been taken.
        public let adopted: [RunIdentity: RunID]
        /// Doubtful requests that are surely absent: their windows may be claimed again.
        public let released: [RunIdentity]
        /// Doubtful requests of which nothing is known yet.
        public let unresolved: [RecordedRun]
    }

    /// Why a flow could not be refreshed.
    public enum Failure: Error, Hashable, Sendable {
        case ledger(LedgerError)
        case service(FlowServiceError)
    }

    /// - Parameters:
    ///   - column: the column in the flow's `Copy` transformation, if the flow was read.
    ///   - settle: how long after its claim a request that is not on the service is called absent.
    ///   - acknowledged: runs of unknown window that the manifest calls somebody else's.
    public func read(
        _ flow: FlowID, column: DeltaColumn?, settle: UnixMilliseconds, acknowledged: Set<RunID>
    ) async throws(Failure) -> Findings {
        // Taken before the listing is asked for: what the listing lacks was lacking at this time at the latest.
        let askedAt = time.now()
        let observed: [ObservedRun]
        do { observed = try await service.runs(of: flow) } catch { throw .service(error) }
        do { return try await record(flow, column, observed, askedAt, settle, acknowledged) } catch {
            throw .ledger(error)
        }
    }

    private func record(
        _ flow: FlowID, _ column: DeltaColumn?, _ observed: [ObservedRun], _ askedAt: UnixMilliseconds,
        _ settle: UnixMilliseconds, _ acknowledged: Set<RunID>
    ) async throws(LedgerError) -> Findings {
        let recorded = try await ledger.runs(of: flow)
        let matching = DoubtMatching(recorded: recorded, observed: observed, acknowledged: acknowledged)
        for (identity, run) in matching.found {
            try await ledger.conclude(identity, .accepted(run, response: nil), at: time.now())
        }
        try await ledger.observe(
            Observation(flow: flow, deltaColumn: column, runs: matching.others, observedAt: time.now()))

        var released: [RunIdentity] = []
        var unresolved: [RecordedRun] = []
        for doubt in recorded where doubt.state.isDoubtful && matching.found[doubt.identity] == nil {
            if matching.unreadable.isEmpty, askedAt >= doubt.recordedAt + settle,
                try await ledger.release(
                    doubt.identity, claimedAt: doubt.recordedAt,
                    reason: "not among the flow's runs when its time had passed", at: time.now())
            {
                released.append(doubt.identity)
            } else {
                unresolved.append(doubt)
            }
        }
        return Findings(
            runsFound: observed.count, adopted: matching.found, released: released, unresolved: unresolved)
    }
}
