import FlowRuns
import FlowService
import Ledger

/// The newest runs of several flows from one listing, possibly incomplete.
///
/// Listing several flows at once is undocumented: a service may list only one of the flows, or none, or in any order.
/// Therefore the listing is used for a flow only if it is sorted by time, reaches back beyond everything that the last
/// comparison may have missed, and contains the newest run that the last comparison has seen.
struct GroupListing {
    private var listed: [ListedRun] = []
    private var listedIDs: Set<RunID> = []
    /// Whether the listing is sorted by creation time, newest first, and every run carries its flow.
    private(set) var isInOrder = true
    private var isComplete = false

    /// Adds a page.
    ///
    /// - Returns: the number of runs on this page that were on no previous page.
    mutating func add(_ page: Page<ListedRun>) -> Int {
        let new = page.items.filter { listedIDs.insert($0.run.id).inserted }
        for item in new {
            let isOlder = listed.last.map { $0.run.createdAt >= item.run.createdAt } ?? true
            isInOrder = isInOrder && isOlder && item.flow != nil && item.run.createdAt.milliseconds > 0
            listed.append(item)
        }
        isComplete = page.next == nil
        return new.count
    }

    /// Whether a group listing is reliable for a flow. If not (before the first comparison, or after a restored
    /// ledger), the flow is read separately.
    static func isReliable(for record: FlowRecord) -> Bool {
        record.contactedAt != nil && record.newestRunAt != nil && !record.needsRecheck
    }

    /// Whether a group listing is reliable for a flow, which must also have no open request.
    static func isReliable(for ledger: FlowLedger) -> Bool {
        isReliable(for: ledger.record) && ledger.openRequests.isEmpty
    }

    /// Whether the listing reaches back beyond everything that the flow's last comparison may have missed.
    func reachesBack(for record: FlowRecord, settle: Duration) -> Bool {
        guard isInOrder, let since = record.unlistedSince(settle: settle), let last = listed.last?.run.createdAt else {
            return false
        }
        return last < since
    }

    /// Returns the flow's runs; `nil` if the listing is not reliable for this flow, so the flow must be read
    /// separately.
    func runs(of ledger: FlowLedger, settle: Duration) -> [ObservedRun]? {
        let record = ledger.record
        guard Self.isReliable(for: ledger), isInOrder else { return nil }
        let own = listed.filter { $0.flow == record.id }.map(\.run)
        let recorded = ledger.runIDs
        guard own.contains(where: { $0.createdAt == record.newestRunAt && recorded.contains($0.id) }) else {
            return nil
        }
        // A short listing may be truncated, unless it contains every recorded run.
        let holdsAll = isComplete && recorded.isSubset(of: own.map(\.id))
        return reachesBack(for: record, settle: settle) || holdsAll ? own : nil
    }
}
