import FlowRuns
import Synchronization

/// A ledger that lasts as long as its store: for rehearsals, and for tests of rival appliers. Each applier has a
/// handle of its own on the store that they share.
///
/// ```swift
/// let store = InMemoryLedgerStore()
/// let ledger = InMemoryLedger(store: store)
/// let rival = InMemoryLedger(store: store)
/// ```
///
/// It keeps every promise of ``Ledger`` but to outlive the process. Nothing in it waits, so its methods are
/// synchronous: a simulation decides alone what happens next.
package final class InMemoryLedger: Ledger {
    private let store: InMemoryLedgerStore
    private let handle: Int
    private let isClosed = Atomic(false)

    /// A handle of its own on the store.
    package init(store: InMemoryLedgerStore = InMemoryLedgerStore()) {
        self.store = store
        handle = store.contents.withLock { $0.nextNumber() }
    }

    package func lock(_ flow: FlowID) throws(LedgerError) -> (any FlowLock)? {
        try access { $0.lock(flow, by: handle) }.map { InMemoryFlowLock(flow: flow, number: $0, store: store) }
    }

    /// Frees the flows that this handle has locked, as the end of its process would.
    package func abandonLocks() {
        store.contents.withLock { $0.freeLocks(of: handle) }
    }

    package func record(of flow: FlowID) throws(LedgerError) -> FlowRecord {
        try access { $0.rows.record(of: flow) }
    }

    package func runs(of flow: FlowID) throws(LedgerError) -> [RecordedRun] {
        try access { $0.rows.runs(of: flow) }
    }

    package func claim(_ claim: Claim) throws(LedgerError) -> RunState? {
        try access { (contents) throws(LedgerError) in try contents.rows.claim(claim) }
    }

    package func renew(
        _ identity: RunIdentity, claimedAt: Timestamp, now: Timestamp
    ) throws(LedgerError) -> Bool {
        try access { (contents) throws(LedgerError) in
            try contents.rows.renew(identity, claimedAt: claimedAt, now: now)
        }
    }

    package func release(
        _ identity: RunIdentity, claimedAt: Timestamp, reason: String, at now: Timestamp
    ) throws(LedgerError) -> Bool {
        try access { (contents) throws(LedgerError) in
            try contents.rows.release(identity, claimedAt: claimedAt, reason: reason, at: now)
        }
    }

    package func conclude(
        _ identity: RunIdentity, _ conclusion: Conclusion, at now: Timestamp
    ) throws(LedgerError) {
        try access { (contents) throws(LedgerError) in try contents.rows.conclude(identity, conclusion, at: now) }
    }

    package func observe(_ observation: Observation) throws(LedgerError) {
        try access { (contents) throws(LedgerError) in try contents.rows.observe(observation) }
    }

    package func entries(of flows: [FlowID]?) throws(LedgerError) -> [LedgerEntry] {
        try access { contents in
            let flows = flows.map { Set($0).sorted() } ?? contents.rows.records.map(\.id)
            return flows.flatMap { contents.rows.entries(of: $0) }
        }
    }

    package func flows() throws(LedgerError) -> [FlowRecord] {
        try access { $0.rows.records }
    }

    package func restore(_ flows: [FlowRecord], _ entries: [LedgerEntry]) throws(LedgerError) {
        try access { (contents) throws(LedgerError) in
            // A copy, so that a conflict leaves nothing behind.
            var rows = contents.rows
            try rows.restore(flows, entries)
            contents.rows = rows
        }
    }

    /// Always empty: there is no file that could be damaged.
    package func storeFaults() throws(LedgerError) -> [String] {
        try access { _ in [] }
    }

    package func close() { isClosed.store(true, ordering: .relaxed) }

    private func access<Value: Sendable>(
        _ body: (inout InMemoryLedgerStore.Contents) throws(LedgerError) -> Value
    ) throws(LedgerError) -> Value {
        guard !isClosed.load(ordering: .relaxed) else { throw .unusable("it is closed") }
        return try store.contents.withLock { (contents) throws(LedgerError) in try body(&contents) }
    }
}

/// What rival ``InMemoryLedger`` handles share: the rows of one target, and who has locked which flow.
package final class InMemoryLedgerStore: Sendable {
    struct Contents: Sendable {
        var rows = InMemoryRows()
        private var locks: [FlowID: (handle: Int, number: Int)] = [:]
        private var lastNumber = 0

        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }

        mutating func lock(_ flow: FlowID, by handle: Int) -> Int? {
            guard locks[flow] == nil else { return nil }
            let number = nextNumber()
            locks[flow] = (handle, number)
            return number
        }

        /// A lock that was abandoned meanwhile frees nothing: the flow may be another's by now.
        mutating func free(_ flow: FlowID, number: Int) {
            if locks[flow]?.number == number { locks[flow] = nil }
        }

        mutating func freeLocks(of handle: Int) {
            locks = locks.filter { $0.value.handle != handle }
        }
    }

    let contents = Mutex(Contents())

    /// An empty store.
    package init() {}
}

private struct InMemoryFlowLock: FlowLock {
    let flow: FlowID
    let number: Int
    let store: InMemoryLedgerStore

    func release() {
        store.contents.withLock { $0.free(flow, number: number) }
    }
}
