import FlowRuns
import Synchronization

/// Storage for the flows of one target. Each flow has a record, its runs and a revision, and is changed by
/// compare-and-swap.
///
/// ``FlowLedger`` enforces the ledger's rules (states, identities, claims) for all stores. A store that can also
/// enforce a rule does so.
///
/// A store implements `entries(of:)` and `snapshot(of:)`, or `scan(_:visit:)` and `scanRuns(_:visit:)` if it need not
/// hold a whole flow in memory. The others derive from them.
///
/// ```swift
/// var ledger = FlowLedger(try await store.snapshot(of: flow))
/// try ledger.claim(claim)
/// let result = try await store.commit(ledger.commit(nonce: nonce))  // .conflict: read the flow again
/// ```
package protocol LedgerStore: Sendable {
    /// Returns the flow's record, revision and runs from one consistent snapshot. A flow without a record has revision
    /// 0.
    ///
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot

    /// Commits all of the changes or none. The changes are durable on return.
    ///
    /// A commit contains a nonce and is idempotent, so it can be repeated after a lost answer.
    ///
    /// - Throws: ``LedgerError`` when the commit is invalid or the store cannot be written;
    ///   ``LedgerError/unanswered(_:)`` when the commit may have succeeded.
    func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult

    /// Returns all recorded flows of the target, sorted by flow ID.
    ///
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func flows() async throws(LedgerError) -> [FlowRecord]

    /// Returns the flow's full rows in the order of `RunIdentity`, with its record from the same
    /// snapshot.
    ///
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries

    /// Streams the flow's entries in chunks from one consistent snapshot, in ledger order.
    ///
    /// - Parameters:
    ///   - flow: the ID of the flow.
    ///   - visit: receives each chunk on the store's own thread; the first chunk may have no rows. Returns `false` to
    ///     stop.
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func scan(_ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool) async throws(LedgerError)

    /// Streams the data of the flow's runs that planning needs, like ``scan(_:visit:)``.
    ///
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func scanRuns(_ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool) async throws(LedgerError)

    /// Records flows with all of their runs, with only a part in memory. Each flow is recorded completely or not at
    /// all; a store may use one transaction for all flows. Idempotent.
    ///
    /// - Throws: ``LedgerError/busy(_:)`` when a flow does not have the expected revision.
    func add(_ flows: [NewFlow]) async throws(LedgerError)

    /// Returns descriptions of damage to the store itself (SQLite's `integrity_check`); empty when it is sound.
    ///
    /// - Throws: ``LedgerError`` when the store cannot be read.
    func damage() async throws(LedgerError) -> [String]

    /// Whether other machines may use the same ledger and make requests with it.
    var isShared: Bool { get }

    /// Whether commits are slow or must be rare, like a Git push. If so, a claim covers as many requests as possible.
    var isCommitCostly: Bool { get }

    /// Closes the store. Idempotent.
    func close() async
}

extension LedgerStore {
    package var isShared: Bool { false }
    package var isCommitCostly: Bool { false }

    // A store implements `snapshot` or `scanRuns`, and `entries` or `scan`: each is derived from the other.

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        let parts = try await parts { (visit) async throws(LedgerError) in try await scanRuns(flow, visit: visit) }
        return FlowSnapshot(record: parts.first?.record ?? FlowRecord(id: flow), runs: parts.flatMap(\.runs))
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        let parts = try await parts { (visit) async throws(LedgerError) in try await scan(flow, visit: visit) }
        return FlowEntries(record: parts.first?.record ?? FlowRecord(id: flow), entries: parts.flatMap(\.entries))
    }

    /// Returns all parts that a scan delivers.
    private func parts<Part: Sendable>(
        of scan: (@escaping @Sendable (Part) -> Bool) async throws(LedgerError) -> Void
    ) async throws(LedgerError) -> [Part] {
        let parts = Mutex<[Part]>([])
        try await scan { part in
            parts.withLock { $0.append(part) }
            return true
        }
        return parts.withLock { $0 }
    }

    package func scan(
        _ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool
    ) async throws(LedgerError) {
        _ = visit(try await entries(of: flow))
    }

    package func scanRuns(
        _ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool
    ) async throws(LedgerError) {
        _ = visit(try await snapshot(of: flow))
    }

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        for flow in flows {
            guard try await self.commit(flow.commit()) == .done else { throw flow.changed }
        }
    }
}

/// A flow to be recorded with all of its runs.
package struct NewFlow: Sendable {
    /// Returns the next rows in order; empty at the end.
    package typealias Next = () throws(LedgerError) -> [LedgerEntry]

    /// The flow's record, with its new revision.
    package let record: FlowRecord
    /// The revision that the flow must have before the change.
    package let expecting: Revision
    /// Starts reading the flow's runs, on the store's own thread. A store may start again.
    package let runs: @Sendable () -> Next

    package init(record: FlowRecord, expecting: Revision, runs: @escaping @Sendable () -> Next) {
        self.record = record
        self.expecting = expecting
        self.runs = runs
    }

    /// Reads the runs into a commit.
    package func commit() throws(LedgerError) -> FlowCommit {
        let next = runs()
        var changes: [LedgerChange] = []
        while case let entries = try next(), !entries.isEmpty { changes += entries.map(LedgerChange.insert) }
        return FlowCommit(expecting: expecting, record: record, changes: changes)
    }

    /// The error for an unexpected revision.
    package var changed: LedgerError { Self.changed(record.id) }
    static func changed(_ flow: FlowID) -> LedgerError { .busy("flow \(flow) changed meanwhile") }
}

extension LedgerStore {
    /// Marks flows for a comparison with the service before their next request, because the ledger may be outdated. A
    /// flow that the ledger does not contain is added.
    ///
    /// - Parameters:
    ///   - flows: the IDs of the flows.
    ///   - nonce: returns a new random text for each commit.
    /// - Throws: ``LedgerError`` when the store cannot be read or written.
    package func requireRecheck(of flows: [FlowID], nonce: () -> String) async throws(LedgerError) {
        for flow in flows {
            var result = CommitResult.conflict
            while result == .conflict {
                var ledger = FlowLedger(try await snapshot(of: flow))
                ledger.amend { $0.needsRecheck = true }
                // Also where it was required before: a wait that began before now is not enough.
                result = try await commit(ledger.commit(nonce: nonce()))
            }
        }
    }

    /// Returns the flow's record without its runs.
    func record(of flow: FlowID) async throws(LedgerError) -> FlowRecord {
        let record = Mutex(FlowRecord(id: flow))
        try await scan(flow) { part in
            record.withLock { $0 = part.record }
            return false
        }
        return record.withLock { $0 }
    }
}

/// The data of a flow that planning and claiming need.
package struct FlowSnapshot: Hashable, Sendable {
    package let record: FlowRecord
    /// Runs in the order of `RunIdentity`.
    package let runs: [RecordedRun]

    package init(record: FlowRecord, runs: [RecordedRun]) {
        self.record = record
        self.runs = runs
    }
}

/// A flow with the full rows of its runs.
package struct FlowEntries: Hashable, Sendable {
    package let record: FlowRecord
    package let entries: [LedgerEntry]

    package init(record: FlowRecord, entries: [LedgerEntry]) {
        self.record = record
        self.entries = entries
    }
}

/// Changes to one flow, committed completely or not at all.
package struct FlowCommit: Hashable, Sendable {
    /// The revision that the flow must have before the commit.
    package let expecting: Revision
    /// The flow's record after the commit, with its new revision.
    package let record: FlowRecord
    /// Changes to the rows, applied in this order.
    package let changes: [LedgerChange]

    package init(expecting: Revision, record: FlowRecord, changes: [LedgerChange]) {
        self.expecting = expecting
        self.record = record
        self.changes = changes
    }

    /// Whether a request may be sent once the commit has succeeded.
    package var hasClaim: Bool {
        changes.contains { if case .insert(let entry) = $0 { entry.run.state == .intended } else { false } }
    }
}

package enum CommitResult: Hashable, Sendable {
    case done
    /// The flow has another revision. Nothing was changed.
    case conflict
}

/// A change to one of a flow's rows.
package enum LedgerChange: Hashable, Sendable {
    case insert(LedgerEntry)
    case update(RunIdentity, RunUpdate, at: Timestamp)
    /// Removes a row recorded by a refresh once its run proves to be one of our requests.
    case remove(RunIdentity)
}
