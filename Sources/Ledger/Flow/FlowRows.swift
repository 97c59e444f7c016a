import FlowRuns

/// The sorted rows of one flow, with the invariants that a store must enforce itself if it is not a database.
package struct FlowRows: Sendable {
    package private(set) var entries: [LedgerEntry]
    /// The run IDs of all rows, so that a change does not search them.
    private var runs: [RunID: RunIdentity] = [:]
    private var open: [RunIdentity: ClaimID?] = [:]

    /// - Parameter entries: in the order of `RunIdentity`.
    package init(_ entries: [LedgerEntry]) {
        self.entries = entries
        for entry in entries { register(entry.run) }
    }

    /// Applies a change.
    ///
    /// - Throws: ``LedgerError/corrupt(_:)``, ``LedgerError/runIDTaken(_:by:)``, ``LedgerError/unknownRun(_:)`` or
    ///   ``LedgerError/illegalMove(_:from:to:)`` for a change that violates an invariant.
    package mutating func make(_ change: LedgerChange) throws(LedgerError) {
        switch change {
        case .insert(let entry): try insert(entry)
        case .update(let identity, let update, let time):
            var entry = try remove(identity)
            try entry.apply(update, at: time)
            try insert(entry)
        case .remove(let identity): _ = try remove(identity)
        }
    }

    private mutating func remove(_ identity: RunIdentity) throws(LedgerError) -> LedgerEntry {
        let position = position(of: identity)
        guard position < entries.count, entries[position].run.identity == identity else {
            throw .unknownRun(identity)
        }
        let entry = entries.remove(at: position)
        open[identity] = nil
        if let id = entry.run.id { runs[id] = nil }
        return entry
    }

    private mutating func insert(_ entry: LedgerEntry) throws(LedgerError) {
        let identity = entry.run.identity
        let position = position(of: identity)
        if position < entries.count, entries[position].run.identity == identity {
            throw .corrupt("\(identity.inWords) is recorded already")
        }
        let attempts = entries[self.position(of: RunIdentity(identity.key, attempt: .min))...]
            .prefix { $0.run.identity.key == identity.key }
        if entry.run.isActiveRequest, attempts.contains(where: \.run.isActiveRequest) {
            throw .corrupt("\(identity.inWords) has a request already that is under way or has brought its records")
        }
        if entry.run.state.isDoubtful, open.values.contains(where: { $0 != entry.run.claim?.id }) {
            throw .corrupt("\(identity.inWords): another claim of the flow is open")
        }
        if let id = entry.run.id, let known = runs[id] { throw .runIDTaken(id, by: known) }
        entries.insert(entry, at: position)
        register(entry.run)
    }

    private mutating func register(_ run: RecordedRun) {
        if let id = run.id { runs[id] = run.identity }
        if run.state.isDoubtful { open[run.identity] = .some(run.claim?.id) }
    }

    /// Returns the position of the identity, or the position at which it would be inserted.
    private func position(of identity: RunIdentity) -> Int {
        entries.partitioningIndex { $0.run.identity >= identity }
    }
}
