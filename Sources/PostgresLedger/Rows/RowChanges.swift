import FlowRuns
import Ledger

/// The row changes of a commit, combined so that each row is written once.
struct RowChanges {
    private struct Row {
        /// The key of an existing row; `nil` for a new one.
        let key: Int64?
        let before: LedgerEntry?
        var entry: LedgerEntry
    }

    private var rows: [RunIdentity: Row]
    private(set) var removed: [Int64] = []

    /// Returns the identities of existing rows that a commit changes or removes.
    static func needed(by commit: FlowCommit) -> [RunIdentity] {
        var made: Set<RunIdentity> = []
        var needed: [RunIdentity] = []
        var known: Set<RunIdentity> = []
        func need(_ identity: RunIdentity) {
            if !made.contains(identity), known.insert(identity).inserted { needed.append(identity) }
        }
        for change in commit.changes {
            switch change {
            case .insert(let entry): made.insert(entry.run.identity)
            case .update(let identity, let update, _):
                need(identity)
                if case .window(let renamed) = update { made.insert(renamed) }
            case .remove(let identity): need(identity)
            }
        }
        return needed
    }

    /// - Parameter stored: the stored rows among those that are ``needed(by:)`` the commit.
    init(_ commit: FlowCommit, stored: [(key: Int64, entry: LedgerEntry)]) throws(LedgerError) {
        rows = Dictionary(
            stored.map { ($0.entry.run.identity, Row(key: $0.key, before: $0.entry, entry: $0.entry)) }
        ) { first, _ in first }
        for change in commit.changes {
            switch change {
            case .insert(let entry):
                let row = Row(key: nil, before: nil, entry: entry)
                if rows.updateValue(row, forKey: entry.run.identity) != nil {
                    throw .corrupt("a commit records the same run twice")
                }
            case .update(let identity, let update, let time):
                guard var row = rows.removeValue(forKey: identity) else { throw .unknownRun(identity) }
                try row.entry.apply(update, at: time)
                rows[row.entry.run.identity] = row
            case .remove(let identity):
                guard let row = rows.removeValue(forKey: identity) else { throw .unknownRun(identity) }
                if let key = row.key { removed.append(key) }
            }
        }
    }

    var updated: [(key: Int64, entry: LedgerEntry)] {
        rows.values.compactMap { row in
            guard let key = row.key, row.entry != row.before else { return nil }
            return (key, row.entry)
        }
    }

    /// New rows in ledger order, so that rows that are read together are stored together.
    var inserted: [LedgerEntry] {
        rows.values.filter { $0.key == nil }.map(\.entry).sorted { $0.run.identity < $1.run.identity }
    }
}
