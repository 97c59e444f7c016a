import FlowRuns
import Synchronization

/// A ledger that lasts as long as its contents: for the simulation, and for tests of rival appliers. Each applier has a
/// store of its own over the contents that they share.
///
/// ```swift
/// let contents = InMemoryContents()
/// let store = InMemoryStore(contents)
/// let rival = InMemoryStore(contents)
/// ```
package struct InMemoryStore: LedgerStore {
    private let contents: InMemoryContents
    package let isCommitCostly: Bool

    /// - Parameter isCommitCostly: makes appliers take it for a store with costly commits.
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

    /// Always empty: there is no file that could be damaged.
    package func damage() throws(LedgerError) -> [String] { [] }

    package func close() {}
}

/// The rows of one target in memory, and their copies: a ledger that is lost, or put back, as the simulation needs it.
package final class InMemoryContents: Sendable {
    private let flows: Mutex<[FlowID: FlowEntries]>

    package init() { flows = Mutex([:]) }

    /// A copy, as of a file.
    package init(copyOf other: InMemoryContents) { flows = Mutex(other.flows.withLock { $0 }) }

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
            var rows = Rows(entries: before.entries)
            for change in commit.changes { try rows.make(change) }
            let ids = Set(rows.entries.compactMap(\.run.id))
            for (other, kept) in flows where other != flow {
                if let taken = kept.entries.first(where: { $0.run.id.map(ids.contains) ?? false }),
                    let id = taken.run.id
                {
                    throw .runIDTaken(id, by: taken.run.identity)
                }
            }
            flows[flow] = FlowEntries(record: commit.record, entries: rows.entries)
            return .done
        }
    }
}

/// The rows of one flow, sorted, and the promises that a store enforces by itself.
private struct Rows {
    var entries: [LedgerEntry]

    mutating func make(_ change: LedgerChange) throws(LedgerError) {
        switch change {
        case .insert(let entry): try insert(entry)
        case .update(let identity, let update, let time):
            guard let position = position(identity) else { throw .unknownRun(identity) }
            var entry = entries[position]
            try entry.apply(update, at: time)
            entries.remove(at: position)
            try insert(entry)
        case .remove(let identity):
            guard let position = position(identity) else { throw .unknownRun(identity) }
            entries.remove(at: position)
        }
    }

    private func position(_ identity: RunIdentity) -> Int? { entries.firstIndex { $0.run.identity == identity } }

    private mutating func insert(_ entry: LedgerEntry) throws(LedgerError) {
        let identity = entry.run.identity
        for other in entries.map(\.run) {
            if other.identity == identity { throw .corrupt("\(identity.inWords) is recorded already") }
            if other.isLivingRequest, entry.run.isLivingRequest, other.identity.key == identity.key {
                throw .corrupt("\(identity.inWords) has a request already that has not failed")
            }
            if other.state.isDoubtful, entry.run.state.isDoubtful, other.claim?.id != entry.run.claim?.id {
                throw .corrupt("\(identity.inWords): another claim of the flow is open")
            }
            if let id = entry.run.id, other.id == id { throw .runIDTaken(id, by: other.identity) }
        }
        entries.insert(entry, at: entries.firstIndex { !$0.run.identity.precedes(identity) } ?? entries.count)
    }
}
