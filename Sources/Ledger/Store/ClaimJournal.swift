import FlowRuns

/// This machine's own record of its claims, outside of the ledger, which can be lost, copied, restored or exchanged for
/// another one.
///
/// The journal belongs to the target (service, organization, sandbox) and not to a ledger: it is the same whatever the
/// manifest's `ledger` says. A claim is written to the journal before it is committed, so a claim that the ledger in use
/// does not contain means that the ledger may lack requests.
package protocol ClaimJournal: Sendable {
    /// Whether this machine has kept a journal for the target before. A new machine or a CI container has none, so it
    /// has no record of recent requests.
    func exists() -> Bool

    /// Creates the journal, which makes ``exists()`` true.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the folder cannot be created.
    func create() throws(LedgerError)

    /// The claims of the flow whose runs the service may not list yet, oldest first.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the journal cannot be read.
    func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Adds a claim. Of two processes that add a claim at the same moment, one finds the other's.
    ///
    /// - Returns: the claims that were there before.
    /// - Throws: ``LedgerError/unusable(_:)`` or ``LedgerError/busy(_:)`` when the journal cannot be written.
    @discardableResult
    func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Removes claims that were never committed, or whose runs the ledger in use has counted.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` or ``LedgerError/busy(_:)`` when the journal cannot be written.
    func remove(_ claims: [ClaimID], of flow: FlowID) throws(LedgerError)

    /// Whether the last ledger that this machine used for the target was shared with other machines, whose claims the
    /// journal does not have.
    func lastLedgerWasShared() -> Bool

    /// Records which kind of ledger is in use.
    ///
    /// - Throws: ``LedgerError/unusable(_:)`` when the journal cannot be written.
    func recordLedger(isShared: Bool) throws(LedgerError)
}

/// A claim as the journal keeps it.
package struct JournalClaim: Hashable, Sendable {
    package let id: ClaimID
    /// The upper bound of the service's time when the claim was made; `nil` when its answers had no `Date`.
    package let time: Timestamp?
    /// When the claim was made, by this machine's boot clock; `nil` for a claim of an older version.
    package let madeAt: MachineInstant?

    package init(id: ClaimID, time: Timestamp?, madeAt: MachineInstant? = nil) {
        self.id = id
        self.time = time
        self.madeAt = madeAt
    }
}

/// The journal of a machine that has no place to keep one: every command behaves as on a new machine.
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
