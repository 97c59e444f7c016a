import FlowRuns
import Synchronization

/// Keeps, for each flow of one target, its record and its runs under a revision, and changes them by compare-and-swap.
///
/// That is all that a store does. What the ledger promises (states, identities, claims) is written once, in
/// ``FlowLedger``; a store that can enforce a promise as well does so.
///
/// ```swift
/// var ledger = FlowLedger(try await store.snapshot(of: flow))
/// try ledger.claim(request)
/// guard try await store.commit(ledger.commit(nonce: nonce)) == .done else { … }  // look again
/// ```
package protocol LedgerStore: Sendable {
    /// The flow's record, revision and runs, read at one instant. Revision 0 for a flow that is not recorded.
    func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot

    /// Makes all of the changes, durable when it returns, or none.
    ///
    /// The same commit may be made again, as after a lost answer: it carries a nonce, and a second time changes
    /// nothing.
    func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult

    /// Every flow that is recorded for the target, sorted.
    func flows() async throws(LedgerError) -> [FlowRecord]

    /// The flow's full rows, in the order of ``RunIdentity/precedes(_:)``, with its record as of the same instant.
    func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries

    /// The same a part at a time, in order and of one instant, so that only a part is in memory.
    ///
    /// - Parameter visit: is given each part, of which the first may have no rows, on a thread of the store's own;
    ///   `false` ends the reading.
    func scan(_ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool) async throws(LedgerError)

    /// The same of what planning needs to know of the runs.
    func scanRuns(_ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool) async throws(LedgerError)

    /// Records flows with all of their runs: each wholly or not at all, and only a part in memory. A store may do it in one
    /// transaction. The very same ones may be added again.
    ///
    /// - Throws: ``LedgerError/busy(_:)`` where a flow has another revision than it must have.
    func add(_ flows: [NewFlow]) async throws(LedgerError)

    /// What is wrong with the store itself (SQLite's `integrity_check`), in words; empty when it is sound.
    func damage() async throws(LedgerError) -> [String]

    /// Whether other machines may use the same ledger: the requests of a shared ledger are not only this machine's.
    var isShared: Bool { get }

    /// Whether a commit takes long or must be rare, as a push does: then a claim covers as many requests as it may.
    var isCommitCostly: Bool { get }

    /// Ends the use of the store. Idempotent.
    func close() async
}

extension LedgerStore {
    package var isShared: Bool { false }
    package var isCommitCostly: Bool { false }

    /// For stores that have a flow in memory anyway.
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
            let next = flow.runs()
            var changes: [LedgerChange] = []
            while case let entries = try next(), !entries.isEmpty { changes += entries.map(LedgerChange.insert) }
            let commit = FlowCommit(expecting: flow.expecting, record: flow.record, changes: changes)
            guard try await self.commit(commit) == .done else { throw flow.changed }
        }
    }
}

/// A flow that is recorded with all of its runs at once.
package struct NewFlow: Sendable {
    /// Gives the next rows in order; none at their end.
    package typealias Next = () throws(LedgerError) -> [LedgerEntry]

    /// With its new revision.
    package let record: FlowRecord
    /// The revision that it must still have.
    package let expecting: Revision
    /// Begins to read its runs, on a thread of the store's own. A store may begin again.
    package let runs: @Sendable () -> Next

    package init(record: FlowRecord, expecting: Revision, runs: @escaping @Sendable () -> Next) {
        self.record = record
        self.expecting = expecting
        self.runs = runs
    }

    /// It has another revision than expected.
    package var changed: LedgerError { .busy("flow \(record.id) changed meanwhile") }
}

extension LedgerStore {
    /// What the ledger knows of the flow besides its runs.
    func record(of flow: FlowID) async throws(LedgerError) -> FlowRecord {
        let record = Mutex(FlowRecord(id: flow))
        try await scan(flow) { part in
            record.withLock { $0 = part.record }
            return false
        }
        return record.withLock { $0 }
    }
}

/// What planning and claiming need to know of a flow.
package struct FlowSnapshot: Hashable, Sendable {
    package let record: FlowRecord
    /// In the order of ``RunIdentity/precedes(_:)``.
    package let runs: [RecordedRun]

    package init(record: FlowRecord, runs: [RecordedRun]) {
        self.record = record
        self.runs = runs
    }
}

/// A flow with all that the ledger keeps of its runs.
package struct FlowEntries: Hashable, Sendable {
    package let record: FlowRecord
    package let entries: [LedgerEntry]

    package init(record: FlowRecord, entries: [LedgerEntry]) {
        self.record = record
        self.entries = entries
    }
}

/// Changes to one flow, made wholly or not at all.
package struct FlowCommit: Hashable, Sendable {
    /// The revision that the flow must still have.
    package let expecting: Revision
    /// The flow's record afterwards, with its new revision.
    package let record: FlowRecord
    /// In this order.
    package let changes: [LedgerChange]

    package init(expecting: Revision, record: FlowRecord, changes: [LedgerChange]) {
        self.expecting = expecting
        self.record = record
        self.changes = changes
    }

    /// Whether a request may be sent when it is made.
    package var hasClaim: Bool {
        changes.contains { if case .insert(let entry) = $0 { entry.run.state == .intended } else { false } }
    }
}

package enum CommitResult: Hashable, Sendable {
    case done
    /// The flow has another revision; nothing was changed.
    case conflict
}

/// One change to a flow's rows.
package enum LedgerChange: Hashable, Sendable {
    case insert(LedgerEntry)
    case update(RunIdentity, RunUpdate, at: Timestamp)
    /// Of a row that a refresh wrote before anybody could tell that the run was one of our requests.
    case remove(RunIdentity)
}
