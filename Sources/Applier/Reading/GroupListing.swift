import FlowRuns
import FlowService
import Ledger

/// The newest runs of several flows from one listing, as far as it was read.
///
/// Nothing promises that a service can list several flows at once: it may list one of them, or none, or in any order. So
/// it is believed of a flow only where it proves itself: it is in order of time, reaches back to before all that the
/// last look can have missed, and holds the newest run which that look has seen.
struct GroupListing {
    private var listed: [ListedRun] = []
    private var seen: Set<RunID> = []
    /// Each run tells its flow, and none is older than the one after it.
    private(set) var isInOrder = true
    private var isWhole = false

    /// - Returns: how many of the page's runs no page before had.
    mutating func add(_ page: Page<ListedRun>) -> Int {
        let new = page.items.filter { seen.insert($0.run.id).inserted }
        for item in new {
            let isOlder = listed.last.map { $0.run.createdAt >= item.run.createdAt } ?? true
            isInOrder = isInOrder && isOlder && item.flow != nil && item.run.createdAt.milliseconds > 0
            listed.append(item)
        }
        isWhole = page.next == nil
        return new.count
    }

    /// Not before first contact, nor after the ledger was restored: then a flow is read on its own.
    static func mayTell(of record: FlowRecord) -> Bool {
        record.contactedAt != nil && record.newestRunAt != nil && !record.needsRecheck
    }

    /// Nor while a request of it is open.
    static func mayTell(of ledger: FlowLedger) -> Bool { mayTell(of: ledger.record) && ledger.openRequests.isEmpty }

    /// Whether it has all that was made since the flow's last look, and before, as far as that can have missed it.
    func reachesBack(for record: FlowRecord, settle: Duration) -> Bool {
        guard isInOrder, let since = record.unlistedSince(settle: settle), let last = listed.last?.run.createdAt else {
            return false
        }
        return last < since
    }

    /// The flow's runs; `nil` where the listing does not prove itself for this flow, and where it must be read on its own.
    func runs(of ledger: FlowLedger, settle: Duration) -> [ObservedRun]? {
        let record = ledger.record
        guard Self.mayTell(of: ledger), isInOrder else { return nil }
        let own = listed.filter { $0.flow == record.id }.map(\.run)
        let recorded = ledger.runIDs
        guard own.contains(where: { $0.createdAt == record.newestRunAt && recorded.contains($0.id) }) else {
            return nil
        }
        // One that ends early may be cut off, but not if it holds all that is known.
        let holdsAll = isWhole && recorded.isSubset(of: own.map(\.id))
        return reachesBack(for: record, settle: settle) || holdsAll ? own : nil
    }
}
