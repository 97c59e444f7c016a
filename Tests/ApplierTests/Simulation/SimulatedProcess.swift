import FlowRuns
import FlowService
import Ledger
import Synchronization
import Text

/// How often things go wrong for the processes of a simulation; each a probability of one step, until all is quiet.
struct Misfortunes: Sendable {
    var kill = 0.0
    /// Stopped for a while, as by SIGSTOP or a machine that sleeps.
    var pause = 0.0
    /// A request, an answer, or a read is lost.
    var network = 0.0
    /// A commit's answer is lost.
    var store = 0.0
    /// Requests are always as slow as can be.
    var isSlow = false
}

/// What the target of a simulation sets.
struct SimulatedLimits: Sendable {
    let requestTimeout: Duration
    let settle: Duration
    /// Where a commit is costly, as one to a Git repository; a claim covers several requests then.
    let requestsPerClaim: Int
    /// Several machines use the same ledger.
    let isShared: Bool
    /// How many ledgers are at work in the end.
    let ledgerCount: Int
    var isCommitCostly: Bool { requestsPerClaim > 1 }
}

/// One process: its view of ledger and service, through which every step may delay, stop or kill it.
final class SimulatedProcess: Sendable {
    let number: Int
    let machine: SimulatedMachine
    /// The ledger that it has opened.
    let contents: InMemoryContents
    let journal: (any ClaimJournal)?
    let usesSharedAddress: Bool
    let service: SimulatedService
    let misfortunes: Misfortunes
    let limits: SimulatedLimits
    /// When the process read its manifests.
    let manifestTime: Duration
    /// Whether the store detects that another file has replaced the opened one.
    let canBeReplaced: Bool
    let stop: StopSignal
    let freshAnswers: FreshAnswers
    /// Called when the ledger has changed.
    let onCommit: @Sendable () -> Void

    private struct State {
        var isDead = false
        var pausedUntil = Duration.zero
        /// The service's time at the start of the simulation: the lowest estimate of all fresh answers so far.
        var earliestStart: Timestamp?
        /// The last whole look at each flow.
        var looks: [FlowID: SimulatedLook] = [:]
        /// How far back that look has read so far; `nil` when it has read everything.
        var readBackTo: [FlowID: Timestamp] = [:]
        var claims: [FlowID: ClaimID] = [:]
        /// Windows of runs, from `acknowledged` in the process's manifests.
        var told: [RunID: Window] = [:]
        /// Flows that must be looked at again before anything else of them is claimed: a claim met a conflict.
        var unsure: Set<FlowID> = []
    }

    private let state = Mutex(State())

    init(
        number: Int, machine: SimulatedMachine, contents: InMemoryContents, service: SimulatedService,
        misfortunes: Misfortunes, limits: SimulatedLimits, manifestTime: Duration? = nil,
        canBeReplaced: Bool = true,
        onCommit: @escaping @Sendable () -> Void
    ) {
        self.number = number
        self.machine = machine
        stop = StopSignal()
        freshAnswers = FreshAnswers(
            time: machine.clock, stop: stop, firstVariant: service.random.below(FreshAnswers.variantCount))
        self.contents = contents
        journal = machine.journal
        usesSharedAddress = machine.usesSharedAddress
        self.service = service
        self.misfortunes = misfortunes
        self.limits = limits
        self.canBeReplaced = canBeReplaced
        self.manifestTime = manifestTime ?? service.time.elapsed
        self.onCommit = onCommit
    }

    var time: VirtualTime { service.time }
    var random: SimulationRandom { service.random }
    var isQuiet: Bool { service.isQuiet }
    var isAlive: Bool { !state.withLock(\.isDead) }
    var owner: String { "m\(machine.number).p\(number)" }
    /// All processes have one API key.
    static let client = "our-key"

    func trace(_ words: @autoclosure () -> String) { service.trace.add(time, "\(owner) \(words())") }

    func kill() {
        guard isAlive else { return }
        trace("KILLED")
        state.withLock { $0.isDead = true }
        stop.request()
    }

    /// A point between two steps, where anything may happen to the process.
    func step() async {
        if !isQuiet {
            if random.happens(misfortunes.kill) {
                kill()
            } else if random.happens(misfortunes.pause) {
                let length = random.seconds(1, 15, 25, 28, 29.5, 31, 60, 92, 125, 300)
                trace("PAUSED for \(length)")
                let until = time.elapsed + length
                state.withLock { $0.pausedUntil = max($0.pausedUntil, until) }
            }
        }
        let left = state.withLock(\.pausedUntil) - time.elapsed
        if left > .zero { await time.sleep(left) }
    }

    /// A delay that is short when all is quiet.
    func delay(_ choices: Double...) async {
        await time.sleep(isQuiet ? .milliseconds(100) : .milliseconds(Int64(random.pick(choices) * 1000)))
    }

    /// Whether something goes wrong this time.
    func strikes(_ probability: Double) -> Bool { !isQuiet && random.happens(probability) }

    // MARK: What the process knows

    func noteLook(_ flow: FlowID, _ look: SimulatedLook, isFirst: Bool, readBackTo oldest: Timestamp?) {
        state.withLock { state in
            if isFirst {
                state.looks[flow] = look
                state.unsure.remove(flow)
            }
            state.readBackTo[flow] = oldest
        }
    }
    /// Whether runs of a claim may be older than what the last look has read.
    func isClaimPassedOver(_ flow: FlowID, madeAt time: ServiceTime) -> Bool {
        state.withLock { $0.readBackTo[flow].map { $0 >= time.earliest } ?? false }
    }
    func noteUnsure(_ flow: FlowID) { state.withLock { _ = $0.unsure.insert(flow) } }
    func isUnsure(_ flow: FlowID) -> Bool { state.withLock { $0.unsure.contains(flow) } }
    func look(at flow: FlowID) -> SimulatedLook? { state.withLock { $0.looks[flow] } }
    func noteTold(_ windows: [RunID: Window]) { state.withLock { $0.told = windows } }
    var told: [RunID: Window] { state.withLock(\.told) }
    func noteClaim(_ claim: ClaimID, of flow: FlowID) { state.withLock { $0.claims[flow] = claim } }
    func claim(of flow: FlowID) -> ClaimID? { state.withLock { $0.claims[flow] } }
    /// Records the `Date` of an answer that came from the service itself.
    func noteFresh(_ date: Timestamp?) {
        guard let date else { return }
        let elapsed = time.elapsed
        state.withLock { $0.earliestStart = min($0.earliestStart ?? date - elapsed, date - elapsed) }
    }
    /// Whether a `Date` is older than the request by every fresh answer so far, with three seconds of tolerance.
    func couldTell(_ date: Timestamp?, isOlderThan sent: Duration) -> Bool {
        guard let date, let start = state.withLock(\.earliestStart) else { return false }
        return date + .seconds(3) < start + sent
    }
    func serviceTime() -> ServiceTime? { freshAnswers.serviceTime() }
}

/// When a flow's runs were read.
struct SimulatedLook: Sendable {
    /// The true time of the answer. A cached answer counts as if the service had given it.
    let time: Timestamp
    /// How many runs the service had.
    let runCount: Int
}
