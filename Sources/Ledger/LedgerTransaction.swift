import FlowRuns

/// The rows of one target within one write transaction of a store. A store brings these few operations; what the
/// ledger promises (claims, arrows, revisions) is written once, against them.
package protocol LedgerTransaction {
    /// Revision 0 when the flow is not recorded.
    mutating func record(of flow: FlowID) throws(LedgerError) -> FlowRecord
    /// Inserts or replaces.
    mutating func save(_ record: FlowRecord) throws(LedgerError)

    mutating func entry(_ identity: RunIdentity) throws(LedgerError) -> LedgerEntry?
    /// The row of the run with this id, in whichever flow.
    mutating func entry(of run: RunID) throws(LedgerError) -> LedgerEntry?
    /// Every attempt of the identity's window and rerun, by attempt.
    mutating func attempts(of identity: RunIdentity) throws(LedgerError) -> [LedgerEntry]
    /// The last attempt of the identity's window and rerun; 0 when there is none.
    mutating func lastAttempt(of identity: RunIdentity) throws(LedgerError) -> Int

    /// - Returns: `false`, and nothing is inserted, when the identity, the run id, or the place of the window's one
    ///   living request is taken. The store itself enforces it.
    mutating func insert(_ entry: LedgerEntry) throws(LedgerError) -> Bool
    /// Replaces the row of an identity, which may itself change.
    mutating func replace(_ identity: RunIdentity, with entry: LedgerEntry) throws(LedgerError)
    mutating func remove(_ identity: RunIdentity) throws(LedgerError)
}

extension LedgerTransaction {
    /// See ``Ledger/claim(_:)``.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` for an identity that no request can have: without a window,
    ///   or with an attempt below 1.
    package mutating func claim(_ claim: Claim) throws(LedgerError) -> RunState? {
        let identity = claim.identity
        guard identity.isClaimable else { throw .illegalMove(identity, from: nil, to: .intended) }
        if try insert(LedgerEntry(claim)) {
            try countUp(identity.flow)
            return nil
        }
        let attempts = try attempts(of: identity)
        let inTheWay =
            attempts.first { $0.run.identity.attempt == identity.attempt } ?? attempts.first { $0.run.isLivingRequest }
        guard let inTheWay else { throw .corrupt("a claim was refused, and nothing is in its way") }
        return inTheWay.run.state
    }

    /// See ``Ledger/renew(_:claimedAt:now:)``.
    package mutating func renew(
        _ identity: RunIdentity, claimedAt: Timestamp, now: Timestamp
    ) throws(LedgerError) -> Bool {
        guard var entry = try entry(identity), entry.run.state == .intended, entry.run.recordedAt == claimedAt else {
            return false
        }
        entry.run.recordedAt = now
        entry.updatedAt = now
        try replace(identity, with: entry)
        try countUp(identity.flow)
        return true
    }

    /// See ``Ledger/release(_:claimedAt:reason:at:)``.
    package mutating func release(
        _ identity: RunIdentity, claimedAt: Timestamp, reason: String, at now: Timestamp
    ) throws(LedgerError) -> Bool {
        guard let run = try entry(identity)?.run, run.state.isDoubtful, run.recordedAt == claimedAt else {
            return false
        }
        try conclude(identity, .released(reason: reason), at: now)
        return true
    }

    /// See ``Ledger/conclude(_:_:at:)``.
    ///
    /// The answer to a request may be slower than a refresh by somebody else, which then has recorded the new run as
    /// one found on the service. That row gives way to the request's.
    package mutating func conclude(
        _ identity: RunIdentity, _ conclusion: Conclusion, at now: Timestamp
    ) throws(LedgerError) {
        guard var entry = try entry(identity) else {
            throw .illegalMove(identity, from: nil, to: conclusion.state)
        }
        let before = entry.run.state
        try entry.conclude(conclusion, at: now)
        if case .accepted(let run, _) = conclusion, let sighting = try self.entry(of: run) {
            guard sighting.run.origin == .service, sighting.run.flow == identity.flow else {
                throw .illegalMove(identity, from: before, to: conclusion.state)
            }
            try remove(sighting.run.identity)
            try replace(identity, with: entry)
            entry.absorb(sighting)
        }
        try replace(identity, with: entry)
        try countUp(identity.flow)
    }

    /// Tells every saved plan that the flow has changed.
    mutating func countUp(_ flow: FlowID) throws(LedgerError) {
        var record = try record(of: flow)
        record.revision += 1
        try save(record)
    }
}
