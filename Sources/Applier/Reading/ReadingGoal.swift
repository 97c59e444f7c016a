import FlowRuns
import FlowService
import Ledger

/// How far back the newest runs are read.
struct ReadingGoal {
    private let recorded: Set<RunID>
    /// Everything made before this time was listed at the last look; `nil` when all runs must be read.
    private let since: Timestamp?

    init(_ ledger: FlowLedger, settle: Duration) {
        recorded = ledger.runIDs
        guard ledger.record.contactedAt != nil, let newest = ledger.record.newestRunAt else {
            since = nil
            return
        }
        let open = ledger.openRequests
        let claims = open.compactMap { $0.claim?.time?.earliest }
        guard claims.count == open.count else {
            since = nil
            return
        }
        since = min(newest - settle, claims.min().map { $0 - .seconds(2) } ?? newest)
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
