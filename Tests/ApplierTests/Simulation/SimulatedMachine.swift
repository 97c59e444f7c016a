import FlowRuns
import Ledger
import Synchronization

/// A computer on which appliers run: its clocks, its journal, and which ledger lies at the target's path.
final class SimulatedMachine: Sendable {
    let number: Int
    let clock: MachineClock
    /// `nil` where the ledger is a shared one.
    let journal: MemoryJournal?
    private let ledger: Mutex<InMemoryContents?>

    init(_ number: Int, clock: MachineClock, journal: MemoryJournal?, ledger: InMemoryContents?) {
        self.number = number
        self.clock = clock
        self.journal = journal
        self.ledger = Mutex(ledger)
    }

    /// What lies at the path now; `nil` where there is nothing yet.
    var contents: InMemoryContents? { ledger.withLock(\.self) }

    func put(_ contents: InMemoryContents) { ledger.withLock { $0 = contents } }
}

/// What a machine remembers of its claims, whatever becomes of the ledger.
final class MemoryJournal: ClaimJournal {
    private struct State {
        var isThere = false
        var claims: [FlowID: [JournalClaim]] = [:]
        var lastLedgerWasShared = false
    }

    private let state: Mutex<State>

    /// - Parameter isThere: that of a shared ledger is taken to have been kept always.
    init(isThere: Bool = false) { state = Mutex(State(isThere: isThere)) }

    func exists() -> Bool { state.withLock(\.isThere) }
    func create() { state.withLock { $0.isThere = true } }
    func claims(of flow: FlowID) -> [JournalClaim] { state.withLock { $0.claims[flow] ?? [] } }
    func add(_ claim: JournalClaim, of flow: FlowID) -> [JournalClaim] {
        state.withLock { state in
            let earlier = state.claims[flow] ?? []
            state.claims[flow] = earlier + [claim]
            state.isThere = true
            return earlier
        }
    }
    func remove(_ claims: [ClaimID], of flow: FlowID) {
        state.withLock { $0.claims[flow]?.removeAll { claims.contains($0.id) } }
    }
    func lastLedgerWasShared() -> Bool { state.withLock(\.lastLedgerWasShared) }
    func recordLedger(isShared: Bool) { state.withLock { $0.lastLedgerWasShared = isShared } }
}
