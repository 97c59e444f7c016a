import FlowRuns
import Ledger
import Synchronization

/// A computer on which appliers run: its clocks, its journal, and which ledger lies at the target's path.
final class SimulatedMachine: Sendable {
    let number: Int
    let clock: MachineClock
    /// The journal of the first ledger.
    private let ownJournal: MemoryJournal?
    /// The journal of a shared ledger that replaces the file.
    private let sharedJournal = MemoryJournal(isThere: true)
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

    /// The journal for the current address, composed as in `LedgerAddress.journal(of:)`; `nil` if there is none.
    var journal: (any ClaimJournal)? {
        switch state.withLock(\.address) {
        case .first: ownJournal
        case .database: ownJournal.map { JournalOfDatabase(own: sharedJournal, file: $0) }
        case .git: nil
        }
    }
}

/// The journal of a database: the claims of the file's journal count, too.
private struct JournalOfDatabase: ClaimJournal {
    let own: MemoryJournal
    let file: MemoryJournal

    func exists() -> Bool { true }
    func create() {}
    func claims(of flow: FlowID) -> [JournalClaim] { file.claims(of: flow) + own.claims(of: flow) }
    func add(_ claim: JournalClaim, of flow: FlowID) -> [JournalClaim] {
        file.claims(of: flow) + own.add(claim, of: flow)
    }
    func withdraw(_ claim: ClaimID, of flow: FlowID) { own.withdraw(claim, of: flow) }
}

/// What a machine remembers of its claims, whatever becomes of the ledger.
final class MemoryJournal: ClaimJournal {
    private struct State {
        var isThere = false
        var claims: [FlowID: [JournalClaim]] = [:]
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
    func withdraw(_ claim: ClaimID, of flow: FlowID) {
        state.withLock { $0.claims[flow]?.removeAll { $0.id == claim } }
    }
}
