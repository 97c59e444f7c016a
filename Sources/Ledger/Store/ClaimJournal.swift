import FlowRuns

/// This machine's record of its claims. It is kept outside the ledger, which can be lost, copied, restored or exchanged
/// for another one.
///
/// The journal belongs to the target (service, organisation, sandbox) and not to a ledger: it is the same for every
/// `ledger` in the manifest. A claim is written to the journal before it is committed, so a claim that the current
/// ledger does not contain means that the ledger may lack requests.
package protocol ClaimJournal: Sendable {
    /// Returns whether this machine already has a journal for the target. A new machine or a CI container has no record
    /// of recent requests.
    func exists() -> Bool

    /// Creates the journal, which makes ``exists()`` true.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the directory cannot be created.
    func create() throws(LedgerError)

    /// Returns the claims of the flow whose runs the service may not list yet, oldest first.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the journal cannot be read.
    func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Adds a claim. If two processes add claims concurrently, at least one of them finds the other's claim.
    ///
    /// - Returns: the claims that were already in the journal.
    /// - Throws: ``LedgerError/unusable(_:)`` or ``LedgerError/busy(_:)`` when the journal cannot be written.
    @discardableResult
    func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Removes claims that were never committed, or whose runs the current ledger contains.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` or ``LedgerError/busy(_:)`` when the journal cannot be written.
    func remove(_ claims: [ClaimID], of flow: FlowID) throws(LedgerError)

    /// Returns whether the last ledger used for the target was shared with other machines. The journal lacks the claims
    /// of those machines.
    func lastLedgerWasShared() -> Bool

    /// Records whether the current ledger is shared.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the journal cannot be written.
    func recordLedger(isShared: Bool) throws(LedgerError)
}

/// A claim in the journal.
package struct JournalClaim: Hashable, Sendable {
    package let id: ClaimID
    /// The upper bound of the service's time when the claim was made; `nil` if no answer had a `Date`.
    package let time: Timestamp?
    /// The time of the claim on this machine's boot clock; `nil` for a claim of an older version.
    package let madeAt: MachineInstant?

    package init(id: ClaimID, time: Timestamp?, madeAt: MachineInstant? = nil) {
        self.id = id
        self.time = time
        self.madeAt = madeAt
    }
}

/// The journal of a machine without storage for one. Every command behaves as on a new machine.
package struct NoJournal: ClaimJournal {
    package init() {}

    package func exists() -> Bool { false }
    package func create() throws(LedgerError) {}
    package func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim] { [] }
    package func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim] { [] }
    package func remove(_ claims: [ClaimID], of flow: FlowID) throws(LedgerError) {}
    package func lastLedgerWasShared() -> Bool { false }
    package func recordLedger(isShared: Bool) throws(LedgerError) {}
}
