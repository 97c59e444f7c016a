import FlowRuns
import Ledger
import SQLiteLedger

/// The journal of this machine's claims in a shared ledger.
///
/// A machine without claims in this journal trusts the ledger, as other machines do. A claim that is in the journal but
/// not in the ledger shows that the server has lost commits.
///
/// This journal is separate from that of an embedded ledger, whose existence shows whether this machine has a ledger of
/// its own. Claims in the embedded ledger's journal still count, for a target whose ledger has moved without its
/// content.
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
