import FlowRuns
import Ledger
import Synchronization

/// A computer on which appliers run: its clocks, its journal, and which ledger lies at the target's path.
final class SimulatedMachine: Sendable {
    let number: Int
    let clock: MachineClock
    /// The machine's record of its claims; `nil` on a machine that keeps none, as in CI.
    private let ownJournal: MemoryJournal?
    private let state: Mutex<State>

    /// The ledger's address in the manifest.
    enum Address: Sendable {
        case first
        case database
        case git
    }

    private struct State {
        var contents: InMemoryContents?
        var address = Address.first
        /// Whether an apply on another address has ended without being killed.
        var hasUsedLaterAddress = false
    }

    init(_ number: Int, clock: MachineClock, journal: MemoryJournal?, ledger: InMemoryContents?) {
        self.number = number
        self.clock = clock
        ownJournal = journal
        state = Mutex(State(contents: ledger))
    }

    /// What lies at the path now; `nil` where there is nothing yet.
    var contents: InMemoryContents? { state.withLock(\.contents) }
    var hasUsedLaterAddress: Bool { state.withLock(\.hasUsedLaterAddress) }

    func put(_ contents: InMemoryContents?, at address: Address? = nil) {
        state.withLock { state in
            state.contents = contents
            state.address = address ?? state.address
        }
    }

    func noteUse() { state.withLock { $0.hasUsedLaterAddress = $0.hasUsedLaterAddress || $0.address != .first } }

    /// The machine's record of its claims, which is the same for every address; `nil` where it keeps none.
    var journal: (any ClaimJournal)? { ownJournal }

    /// Whether the ledger's address is one that other machines may use, too.
    var usesSharedAddress: Bool { state.withLock { $0.address != .first } }
}

/// The journal of a machine, which survives the loss of the ledger.
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
