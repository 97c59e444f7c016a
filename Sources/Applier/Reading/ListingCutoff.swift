import FlowRuns
import FlowService
import Ledger

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
