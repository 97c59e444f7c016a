import FlowRuns

/// Every change that a row of the ledger can undergo, whatever the store.
extension LedgerEntry {
    /// The `intended` row that claiming a window writes.
    package init(_ claim: Claim) {
        self.init(
            run: RecordedRun(
                identity: claim.identity, state: .intended, deltaColumn: claim.deltaColumn, recordedAt: claim.claimedAt),
            request: claim.request, updatedAt: claim.claimedAt, provenance: claim.provenance)
    }

    /// The row of a run that somebody else made, or that was made before this ledger.
    package init(_ observed: ObservedRun, identity: RunIdentity, at observedAt: Timestamp) {
        self.init(
            run: RecordedRun(
                identity: identity, state: .accepted, origin: .service, id: observed.id,
                recordedAt: observed.createdAt),
            updatedAt: observedAt)
        observe(observed, at: observedAt)
    }

    /// Moves the run along one of the arrows of `RunState.canBecome`.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` for any other move.
    package mutating func conclude(_ conclusion: Conclusion, at now: Timestamp) throws(LedgerError) {
        let next = conclusion.state
        guard run.state.canBecome(next), conclusion.canFollow(run.state) else {
            throw .illegalMove(run.identity, from: run.state, to: next)
        }
        run.state = next
        updatedAt = now
        switch conclusion {
        case .accepted(let id, let answer):
            run.id = id
            run.failure = nil
            response = answer ?? response
        case .rejected(let reason, let answer), .inDoubt(let reason, let answer):
            run.failure = reason
            response = answer ?? response
        case .released(let reason):
            run.failure = reason
        case .ended(let end):
            run.failure = end.failure
        }
    }

    /// Takes over what the service says. A final state stays as it is: nothing leaves it.
    package mutating func observe(_ observed: ObservedRun, at observedAt: Timestamp) {
        let before = self
        status = observed.status
        counts = observed.counts.completed(by: counts)
        if let end = observed.end, run.state.canBecome(end.state) {
            run.state = end.state
            run.failure = end.failure
        }
        if self != before { updatedAt = observedAt }
    }

    /// The same run, whose window has become known.
    func identified(as identity: RunIdentity) -> LedgerEntry {
        var entry = self
        entry.run = RecordedRun(
            identity: identity, state: run.state, origin: run.origin, id: run.id, deltaColumn: run.deltaColumn,
            recordedAt: run.recordedAt, failure: run.failure)
        return entry
    }

    /// Takes over what is known of this accepted run from the row under which a refresh had recorded it, before
    /// anybody could tell that it was ours.
    mutating func absorb(_ sighting: LedgerEntry) {
        status = sighting.status
        counts = sighting.counts
        if run.state.canBecome(sighting.run.state) {
            run.state = sighting.run.state
            run.failure = sighting.run.failure
        }
    }

    /// What is wrong with the row by itself, in words; `nil` when nothing is.
    package var fault: String? {
        let identity = run.identity
        if identity.attempt < 1 { return "attempt \(identity.attempt) is not counted from 1" }
        if identity.rerun == "" { return "the rerun's id is empty" }
        if run.state.isAccepted, run.id == nil { return "\(run.state.rawValue), but without a run id" }
        if !run.state.isAccepted, let id = run.id { return "\(run.state.rawValue), but with the run id \(id)" }
        if run.origin == .request, identity.window == nil { return "a request without a window" }
        if run.origin == .service, !run.state.isAccepted {
            return "found on the service, and yet \(run.state.rawValue)"
        }
        if run.origin == .service, run.deltaColumn != nil {
            return "found on the service, and yet with a column sent"
        }
        return nil
    }
}

extension Conclusion {
    /// Only an accepted run ends; every other arrow has a conclusion of its own, with what must be kept of it.
    fileprivate func canFollow(_ state: RunState) -> Bool {
        guard case .ended = self else { return true }
        return state == .accepted
    }
}

extension RunCounts {
    /// What the service has stopped telling is kept.
    fileprivate func completed(by older: RunCounts) -> RunCounts {
        RunCounts(
            inputRecords: inputRecords ?? older.inputRecords, outputRecords: outputRecords ?? older.outputRecords,
            failedRecords: failedRecords ?? older.failedRecords, inputFiles: inputFiles ?? older.inputFiles)
    }
}
