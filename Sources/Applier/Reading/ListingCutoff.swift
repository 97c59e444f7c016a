import FlowRuns
import FlowService
import Ledger

/// How far back the newest runs are read.
struct ListingCutoff {
    private let recorded: Set<RunID>
    /// Everything made before this time was listed at the last look; `nil` when all runs must be read.
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

    /// Whether the last page holds nothing new and reaches back far enough. Only a listing that is seen to be in order of
    /// time can tell: a service may ignore the order that it was asked for.
    func isReached(by listed: [ObservedRun], lastPage: [ObservedRun]) -> Bool {
        guard let since, let first = listed.first, let last = listed.last, first.createdAt > last.createdAt,
            last.createdAt.milliseconds > 0, last.createdAt < since
        else { return false }
        return zip(listed, listed.dropFirst()).allSatisfy { $0.createdAt >= $1.createdAt }
            && lastPage.allSatisfy { recorded.contains($0.id) }
    }
}
