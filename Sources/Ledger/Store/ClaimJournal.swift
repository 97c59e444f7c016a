import FlowRuns

/// What this machine remembers of its claims outside of an embedded ledger, which can be lost, copied or replaced.
///
/// It is kept by service, organisation, sandbox and flow, not by the ledger's path. A claim is written before it is
/// committed: one that is here and not in the ledger tells that the ledger is not the whole truth.
package protocol ClaimJournal: Sendable {
    /// Whether this machine has kept a journal for the target before. On a new machine or in a CI container there is
    /// none, and nobody knows what was requested a moment ago.
    func exists() -> Bool

    /// From now on there is one.
    ///
    /// - Throws: ``LedgerError/unusable(_:)``.
    func create() throws(LedgerError)

    /// The claims of the flow that matter still: those of the last days.
    func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Of two processes that add a claim at the same moment, one finds the other's.
    ///
    /// - Returns: the claims that were there before.
    @discardableResult
    func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim]

    /// Takes back a claim whose commit was surely not made.
    func withdraw(_ claim: ClaimID, of flow: FlowID) throws(LedgerError)
}

/// A claim as the journal keeps it.
package struct JournalClaim: Hashable, Sendable {
    package let id: ClaimID
    /// The latest that the service's time can have been; `nil` where the service tells no time.
    package let time: Timestamp?

    package init(id: ClaimID, time: Timestamp?) {
        self.id = id
        self.time = time
    }
}

/// Where a machine has no place to keep a journal: every command is as if it were on a new machine.
package struct NoJournal: ClaimJournal {
    package init() {}

    package func exists() -> Bool { false }
    package func create() throws(LedgerError) {}
    package func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim] { [] }
    package func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim] { [] }
    package func withdraw(_ claim: ClaimID, of flow: FlowID) throws(LedgerError) {}
}
