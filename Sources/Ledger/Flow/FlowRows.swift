import FlowRuns

/// The rows of one flow, sorted, and the promises that a store enforces by itself where no database does.
package struct FlowRows: Sendable {
    package private(set) var entries: [LedgerEntry]

    /// - Parameter entries: in the order of `RunIdentity.precedes`.
    package init(_ entries: [LedgerEntry]) { self.entries = entries }

    /// - Throws: ``LedgerError/corrupt(_:)``, ``LedgerError/runIDTaken(_:by:)``, ``LedgerError/unknownRun(_:)`` or
    ///   ``LedgerError/illegalMove(_:from:to:)`` for a change that no sound program asks for.
    package mutating func make(_ change: LedgerChange) throws(LedgerError) {
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
            if other.isActiveRequest, entry.run.isActiveRequest, other.identity.key == identity.key {
                throw .corrupt("\(identity.inWords) has a request already that is under way or has brought its records")
            }
            if other.state.isDoubtful, entry.run.state.isDoubtful, other.claim?.id != entry.run.claim?.id {
                throw .corrupt("\(identity.inWords): another claim of the flow is open")
            }
            if let id = entry.run.id, other.id == id { throw .runIDTaken(id, by: other.identity) }
        }
        entries.insert(entry, at: entries.firstIndex { !$0.run.identity.precedes(identity) } ?? entries.count)
    }
}
