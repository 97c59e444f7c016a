import FlowRuns

extension LedgerTransaction {
    /// See ``Ledger/observe(_:)``. The flow's revision counts up only when something that planning reads has changed:
    /// at first contact, and with a new run, state, window or column. The service's own word and counts are kept up to
    /// date without it, so that a refresh does not spoil a saved plan for nothing.
    package mutating func observe(_ observation: Observation) throws(LedgerError) {
        let flow = observation.flow
        var record = try record(of: flow)
        var hasChanged = record.contactedAt == nil
        if let column = observation.deltaColumn, column != record.deltaColumn {
            record.deltaColumn = column
            hasChanged = true
        }
        for run in observation.runs.sorted(by: { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }) {
            if try observe(run, of: flow, at: observation.observedAt) { hasChanged = true }
        }
        record.contactedAt = max(record.contactedAt ?? observation.observedAt, observation.observedAt)
        if hasChanged { record.revision += 1 }
        try save(record)
    }

    /// - Returns: whether anything changed that planning reads.
    private mutating func observe(
        _ observed: ObservedRun, of flow: FlowID, at observedAt: Timestamp
    ) throws(LedgerError) -> Bool {
        guard let before = try entry(of: observed.id) else {
            let identity = try nextIdentity(of: flow, observed.window)
            guard try insert(LedgerEntry(observed, identity: identity, at: observedAt)) else {
                throw .corrupt("the run \(observed.id) cannot be added, and nothing is in its way")
            }
            return true
        }
        guard before.run.flow == flow else { return false }
        var entry = before
        entry.observe(observed, at: observedAt)
        if before.run.window == nil, let window = observed.window {
            entry = entry.identified(as: try nextIdentity(of: flow, window))
            entry.updatedAt = observedAt
        }
        if entry != before { try replace(before.run.identity, with: entry) }
        return entry.run != before.run
    }

    /// The next free attempt: a window that somebody ran twice has attempts 1 and 2.
    private mutating func nextIdentity(of flow: FlowID, _ window: Window?) throws(LedgerError) -> RunIdentity {
        let first = RunIdentity(flow: flow, window: window)
        let last = try lastAttempt(of: first)
        return RunIdentity(flow: flow, window: window, attempt: last + 1)
    }
}
