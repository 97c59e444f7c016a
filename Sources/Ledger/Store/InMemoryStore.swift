import FlowRuns
import Synchronization

/// An in-memory ledger for the simulation and for tests of concurrent appliers. Each applier has its own store over
/// shared contents.
///
/// ```swift
/// let contents = InMemoryContents()
/// let store = InMemoryStore(contents)
/// let rival = InMemoryStore(contents)
/// ```
package struct InMemoryStore: LedgerStore {
    private let contents: InMemoryContents
    package let isCommitCostly: Bool

    /// - Parameters:
    ///   - contents: the contents, which several stores may share.
    ///   - isCommitCostly: the value of ``LedgerStore/isCommitCostly``.
    package init(_ contents: InMemoryContents = InMemoryContents(), isCommitCostly: Bool = false) {
        self.contents = contents
        self.isCommitCostly = isCommitCostly
    }

    package func snapshot(of flow: FlowID) throws(LedgerError) -> FlowSnapshot {
        let found = contents.flow(flow)
        return FlowSnapshot(record: found.record, runs: found.entries.map(\.run))
    }

    package func commit(_ commit: FlowCommit) throws(LedgerError) -> CommitResult { try contents.commit(commit) }

    package func flows() throws(LedgerError) -> [FlowRecord] { contents.records }

    package func entries(of flow: FlowID) throws(LedgerError) -> FlowEntries { contents.flow(flow) }

    /// Returns an empty list: there is no file that could be damaged.
    package func damage() throws(LedgerError) -> [String] { [] }

    package func close() {}
}

/// The in-memory rows of one target. Copies simulate a ledger that is lost or restored.
package final class InMemoryContents: Sendable {
    private let flows: Mutex<[FlowID: FlowEntries]>

    package init() { flows = Mutex([:]) }

    /// Copies the contents, like a copied ledger file.
    package init(copyOf other: InMemoryContents) { flows = Mutex(other.flows.withLock { $0 }) }

    /// Replaces the contents with a copy, like a server restored from a backup.
    package func restore(_ other: InMemoryContents) {
        let copy = other.flows.withLock { $0 }
        flows.withLock { $0 = copy }
    }

    var records: [FlowRecord] { flows.withLock { $0.values.map(\.record).sorted { $0.id < $1.id } } }

    func flow(_ flow: FlowID) -> FlowEntries {
        flows.withLock { $0[flow] } ?? FlowEntries(record: FlowRecord(id: flow), entries: [])
    }

    func commit(_ commit: FlowCommit) throws(LedgerError) -> CommitResult {
        try flows.withLock { (flows) throws(LedgerError) in
            let flow = commit.record.id
            let before = flows[flow] ?? FlowEntries(record: FlowRecord(id: flow), entries: [])
            if before.record.revision == commit.record.revision { return .done }
            guard before.record.revision == commit.expecting else { return .conflict }
            var rows = FlowRows(before.entries)
            for change in commit.changes { try rows.make(change) }
            let ids = Set(rows.entries.compactMap(\.run.id))
            for (other, kept) in flows where other != flow {
                if let taken = kept.entries.first(where: { $0.run.id.map(ids.contains) ?? false }),
                    let id = taken.run.id
                {
                    throw .runIDOfAnotherFlow("\(id) is \(taken.run.identity.inWords)")
                }
            }
            flows[flow] = FlowEntries(record: commit.record, entries: rows.entries)
            return .done
        }
    }
}
