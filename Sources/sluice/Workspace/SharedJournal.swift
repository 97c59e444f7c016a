import FlowRuns
import Ledger
import SQLiteLedger

/// What this machine keeps of its claims beside a shared ledger. A machine that has none knows nothing worse of the ledger
/// than others do, and trusts it; a claim that is here and not in the ledger tells that the server has lost commits.
///
/// It is not the embedded ledger's: that one says whether this machine has a record of its own. But what was claimed in an
/// embedded ledger counts, for a target that has moved without it.
struct SharedJournal: ClaimJournal {
    let own: FileJournal
    let embedded: FileJournal

    func exists() -> Bool { true }
    func create() throws(LedgerError) {}

    func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        try embedded.claims(of: flow) + own.claims(of: flow)
    }

    func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        try embedded.claims(of: flow) + own.add(claim, of: flow)
    }

    func withdraw(_ claim: ClaimID, of flow: FlowID) throws(LedgerError) { try own.withdraw(claim, of: flow) }
}
