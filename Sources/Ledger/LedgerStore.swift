import FlowRuns

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

    /// What is wrong with the store itself (SQLite's `integrity_check`), in words; empty when it is sound.
    func damage() async throws(LedgerError) -> [String]

    /// Whether a commit takes long or must be rare, as a push does: then a claim covers as many requests as it may.
    var isCommitCostly: Bool { get }

    /// Ends the use of the store. Idempotent.
    func close() async
}

extension LedgerStore {
    package var isCommitCostly: Bool { false }
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
