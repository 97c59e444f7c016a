import Applier
import FlowRuns
import FlowService
import Ledger
import Manifests
import Synchronization

/// How often things go wrong in one simulated world; each a probability of one step.
struct Misfortune: Sendable {
    var crash = 0.0
    /// Stopped for longer than `settle`, as by SIGSTOP.
    var freeze = 0.0
    /// While frozen the process also loses its locks, as when a database server ends its session.
    var lockLoss = 0.0
    var refusedConnection = 0.0
    var lostAnswer = 0.0
    var errorBefore = 0.0
    var errorAfter = 0.0
    var throttle = 0.0
    var unauthorized = 0.0
    var refusal = 0.0
    var failedListing = 0.0
    var slowness = Duration.zero
}

/// One applier process: its view of ledger and service, through which every step may delay, freeze or kill it.
final class SimulatedProcess: Sendable {
    let store: InMemoryLedger
    let model: ModelService
    let time: VirtualTime
    let dice: Dice
    let misfortune: Misfortune
    let limits: Limits
    /// For the trace.
    let number: Int
    private let isDead = Mutex(false)

    init(
        store: InMemoryLedgerStore, model: ModelService, time: VirtualTime, dice: Dice, misfortune: Misfortune,
        limits: Limits
    ) {
        self.store = InMemoryLedger(store: store)
        self.model = model
        self.time = time
        self.dice = dice
        self.misfortune = misfortune
        self.limits = limits
        number = model.nextProcess()
    }

    var isAlive: Bool { !isDead.withLock { $0 } }

    /// A point between two steps, where anything may happen to the process.
    func step() async {
        if misfortune.slowness > .zero { await time.sleep(dice.roll(upTo: misfortune.slowness)) }
        if dice.happens(misfortune.freeze) {
            if dice.happens(misfortune.lockLoss) { store.abandonLocks() }
            await time.sleep(limits.settle + dice.roll(upTo: limits.settle))
        }
        if dice.happens(misfortune.crash) {
            isDead.withLock { $0 = true }
            store.abandonLocks()
        }
    }

    static let crashed = LedgerError.unusable("the process is dead")
}

/// The ledger as a mortal process sees it: it may die before a commit, or right after.
struct MortalLedger: Ledger {
    let process: SimulatedProcess

    private func step<Result>(
        _ operation: (InMemoryLedger) async throws(LedgerError) -> Result
    ) async throws(LedgerError) -> Result {
        await process.step()
        guard process.isAlive else { throw SimulatedProcess.crashed }
        let result = try await operation(process.store)
        await process.step()
        guard process.isAlive else { throw SimulatedProcess.crashed }
        return result
    }

    func lock(_ flow: FlowID) async throws(LedgerError) -> (any FlowLock)? {
        try await step { ledger throws(LedgerError) in try ledger.lock(flow) }
    }
    func record(of flow: FlowID) async throws(LedgerError) -> FlowRecord {
        try await step { ledger throws(LedgerError) in try ledger.record(of: flow) }
    }
    func runs(of flow: FlowID) async throws(LedgerError) -> [RecordedRun] {
        try await step { ledger throws(LedgerError) in try ledger.runs(of: flow) }
    }
    func claim(_ claim: Claim) async throws(LedgerError) -> RunState? {
        try await step { ledger throws(LedgerError) in try ledger.claim(claim) }
    }
    func renew(
        _ identity: RunIdentity, claimedAt: Timestamp, now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await step { ledger throws(LedgerError) in try ledger.renew(identity, claimedAt: claimedAt, now: now) }
    }
    func release(
        _ identity: RunIdentity, claimedAt: Timestamp, reason: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await step { ledger throws(LedgerError) in
            try ledger.release(identity, claimedAt: claimedAt, reason: reason, at: now)
        }
    }
    func conclude(
        _ identity: RunIdentity, _ conclusion: Conclusion, at now: Timestamp
    ) async throws(LedgerError) {
        try await step { ledger throws(LedgerError) in
            let before = try ledger.runs(of: identity.flow).first { $0.identity == identity }?.state
            try ledger.conclude(identity, conclusion, at: now)
            if before?.canBecome(conclusion.state) != true {
                process.model.violate("\(before?.rawValue ?? "nothing") became \(conclusion.state.rawValue)")
            }
        }
    }
    func observe(_ observation: Observation) async throws(LedgerError) {
        try await step { ledger throws(LedgerError) in try ledger.observe(observation) }
    }
    func entries(of flows: [FlowID]?) async throws(LedgerError) -> [LedgerEntry] {
        try process.store.entries(of: flows)
    }
    func flows() async throws(LedgerError) -> [FlowRecord] { try process.store.flows() }
    func restore(_ flows: [FlowRecord], _ entries: [LedgerEntry]) async throws(LedgerError) {
        try process.store.restore(flows, entries)
    }
    func storeFaults() async throws(LedgerError) -> [String] { try process.store.storeFaults() }
    func close() async {}
}

/// The service as a mortal process sees it, over a network that loses, delays and refuses.
struct UnreliableService: FlowService {
    let process: SimulatedProcess

    private var model: ModelService { process.model }
    private var dice: Dice { process.dice }
    private var misfortune: Misfortune { process.misfortune }

    func takeTurn() async {}

    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        await process.step()
        guard process.isAlive else { return .notSent("dead") }
        if dice.happens(misfortune.refusedConnection) { return .notSent("connection refused") }
        if process.time.monotonic() > deadline { return .notSent("the claim's time has passed") }
        if dice.happens(misfortune.throttle) {
            return .throttled(retryAfter: dice.happens(0.5) ? nil : dice.roll(upTo: .seconds(90)))
        }
        if dice.happens(misfortune.unauthorized) { return .unauthorized(reason: "token ended") }
        if dice.happens(misfortune.refusal) { return .refused(reason: "400", response: "") }
        if dice.happens(misfortune.errorBefore) {
            await process.step()
            return .unknown(reason: "500", response: nil)
        }
        guard let request = ModelService.decode(body) else {
            model.violate("a body that cannot be read: \(body)")
            return .refused(reason: "400", response: "")
        }

        // From here on the request is on the wire, whatever becomes of its sender.
        let travel = dice.happens(0.5) ? .zero : dice.roll(upTo: process.limits.requestTimeout)
        let answer = Answer()
        process.time.after(travel) {
            answer.value.withLock {
                $0 = model.take(request.flow, request.window, request.column, by: .applier)
            }
        }
        let isLost = dice.happens(misfortune.lostAnswer)
        await process.time.sleep(isLost ? process.limits.requestTimeout : travel + .milliseconds(1))
        await process.step()
        if isLost { return .unknown(reason: "time-out", response: nil) }
        if dice.happens(misfortune.errorAfter) { return .unknown(reason: "500", response: nil) }
        switch answer.value.withLock({ $0 }) {
        case .some((let run?, _)): return .accepted(run, response: "{}")
        case .some((nil, let refusal)): return .refused(reason: refusal ?? "", response: "")
        case nil: return .unknown(reason: "no answer", response: nil)
        }
    }

    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        .refused(reason: "not in this model", response: "")
    }

    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        await process.step()
        if dice.happens(misfortune.failedListing) { throw .unavailable("503") }
        let listing = model.listing(of: flow)
        await process.step()
        return Page(items: listing, next: nil)
    }

    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ObservedRun] { [] }
    func run(_ run: RunID) async throws(FlowServiceError) -> ObservedRun? { nil }

    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        await process.step()
        return model.flow(flow)
    }

    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> { Page(items: [], next: nil) }
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? { nil }
    func serviceTime() -> ServiceTime? { nil }

    private final class Answer: Sendable {
        let value = Mutex<(run: RunID?, refusal: String?)?>(nil)
    }
}
