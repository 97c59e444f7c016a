import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Synchronization

/// The service of a simulation: the simulator's own model of it, what is drawn for each run, and the watch over
/// what the appliers request.
final class SimulatedService: Sendable {
    /// How runs are listed and end in this simulation.
    struct Habits: Sendable {
        /// A run is listed within this time of being taken.
        var longestLag = Duration.zero
        /// What part of the runs is listed late, and what part of those as late as can be.
        var late = 0.0
        var latest = 0.0
        /// The share of runs whose window is listed later than the run.
        var unreadable = 0.0
        /// The share of runs whose window is never listed.
        var neverTelling = 0.0
        var failing = 0.0
        var tellsDate = true
        /// The service answers 400 to `orderby`.
        var refusesOrder = false
        /// The service ignores `orderby` and lists the oldest runs first.
        var ignoresOrder = false
        /// What part of the runs it leaves out where several flows are asked for at once.
        var leavingOut = 0.0
        /// The fraction of runs that report a provisional outcome first.
        var lateEnds = 0.0
        /// Whether runs report record counts.
        var tellsCounts = false
        /// Whether runs become visible in the order of their creation.
        var listsInOrder = false
        var echo = Echo.none
    }

    /// Which run id an accepted request is answered with.
    enum Echo: Sendable {
        /// The id of the new run.
        case none
        /// A re-trigger creates a run, and is answered with the id of the failed one.
        case failedRun
        /// A re-trigger creates no run, and is answered with the id of the failed one.
        case failedRunOnly
        /// A new request is answered with the id of another run in the ledger.
        case knownRun
    }

    private struct State {
        var sandbox: SimulatedSandbox
        /// How far the first node's clock is ahead of the true time, and the maximum of all nodes so far.
        var skew: Duration
        let initialSkew: Duration
        var largestSkew: Duration
        /// The runs that appliers requested.
        var own: Set<String> = []
        var firstOwn: Set<FlowID> = []
        /// The runs that each claim of a window has brought.
        var taken: [ClaimedWindow: Set<String>] = [:]
        var released: Set<ClaimedWindow> = []
        /// Every window that was ever claimed.
        var claimed: Set<Window> = []
        /// How often the answer to a re-trigger named the run itself: ever, and since all is quiet.
        var echoes: [String: Int] = [:]
        var quietEchoes: [String: Int] = [:]
        var violations: [String] = []
        /// Nothing goes wrong any more.
        var isQuiet = false
    }

    let habits: Habits
    let world: SimulatedWorld
    /// The cache in front of the service, if any.
    let cache: SimulatedCache?
    let time: VirtualTime
    let random: SimulationRandom
    let manifest: SimulatedManifest
    let acknowledgements = Acknowledgements()
    private let state: Mutex<State>
    let trace: Trace

    init(
        habits: Habits, sandbox: SandboxConfiguration, manifest: SimulatedManifest, world: SimulatedWorld,
        skew: Duration, time: VirtualTime, random: SimulationRandom, trace: Trace
    ) {
        self.habits = habits
        self.world = world
        cache = world.cache.map { SimulatedCache($0) }
        self.manifest = manifest
        self.time = time
        self.random = random
        self.trace = trace
        var model = SimulatedSandbox(configuration: sandbox)
        for flow in manifest.flows {
            model.add(SimulatedFlow(id: flow.id, source: flow.source))
        }
        state = Mutex(
            State(
                sandbox: model, skew: skew, initialSkew: skew,
                largestSkew: skew + (world.nodes.offsets.max() ?? .zero)))
    }

    /// The true time. Runs are listed, begin and end by it, not by the nodes' clocks.
    var now: Timestamp { time.now }

    /// The node that answers a request.
    func node(for path: Int) -> Int {
        let count = world.nodes.offsets.count
        return world.nodes.isByPath ? path % count : random.below(count)
    }

    /// The node's own time.
    func time(of node: Int) -> Timestamp { now + state.withLock(\.skew) + world.nodes.offsets[node] }

    /// The `Date` header of the node's answers: whole seconds.
    func date(of node: Int) -> Timestamp? { habits.tellsDate ? Timestamp(seconds: time(of: node).seconds) : nil }

    /// Steps the clocks of all nodes. Without a `Date`, a step of more than a minute cannot be noticed: it is skipped.
    func stepClock(by step: Duration) {
        guard habits.tellsDate || (step <= .seconds(60) && step >= .seconds(-60)) else { return }
        trace.add(time, "the service's clock STEPS by \(step)")
        let ahead = world.nodes.offsets.max() ?? .zero
        state.withLock { state in
            state.skew += step
            state.largestSkew = max(state.largestSkew, state.skew + ahead)
        }
    }
    var violations: [String] { state.withLock(\.violations) }
    var isQuiet: Bool { state.withLock(\.isQuiet) }
    var runs: [SimulatedRun] { state.withLock(\.sandbox.runs) }
    var ownRuns: Set<String> { state.withLock(\.own) }

    func violate(_ words: String) {
        trace.add(time, "VIOLATION \(words)")
        state.withLock { $0.violations.append(words) }
    }

    /// Clocks that were set back are put right. Until then, windows that have not ended by them are rightly not sent.
    func becomeQuiet() {
        let step = state.withLock { state in
            state.isQuiet = true
            return max(.zero, state.initialSkew - state.skew)
        }
        if step > .zero { stepClock(by: step) }
    }

    // MARK: Requests

    /// Takes a request of an applier, or refuses it by the service's rules.
    func take(_ body: String, _ request: SimulatedRequest) -> Result<RunID, ServiceError> {
        take(request) { sandbox, now, createdAt throws(ServiceError) in
            try sandbox.createRun(
                RunCreation(body: body, client: SimulatedProcess.client), at: now, createdAt: createdAt)
        }
    }

    func retrigger(_ run: RunID, _ request: SimulatedRequest) -> Result<RunID, ServiceError> {
        take(request) { sandbox, now, createdAt throws(ServiceError) in
            try sandbox.retrigger(
                run.description, client: SimulatedProcess.client, at: now, createdAt: createdAt)
        }
    }

    private func take(
        _ request: SimulatedRequest,
        _ make: (inout SimulatedSandbox, Timestamp, Timestamp) throws(ServiceError) -> SimulatedRun
    ) -> Result<RunID, ServiceError> {
        let (now, createdAt) = (now, time(of: request.node))
        let claim = request.claim
        draw()
        let result: Result<SimulatedRun, ServiceError> = state.withLock { state in
            let before = state.sandbox
            do throws(ServiceError) {
                let run = try make(&state.sandbox, now, createdAt)
                state.violations += watch(run, request, before, state)
                state.own.insert(run.id)
                state.firstOwn.insert(run.flow)
                if let window = run.window {
                    state.taken[ClaimedWindow(claim: claim, window: window), default: []].insert(run.id)
                }
                return .success(run)
            } catch {
                if error.breaksDeltaColumnRule { state.violations.append("delta-missing: \(error.detail)") }
                return .failure(error)
            }
        }
        switch result {
        case .success(let run):
            trace.add(time, "service TAKES \(run.id.prefix(8)) \(run.window.map { "\($0)" } ?? "") of \(claim)")
            return .success(RunID(run.id)!)
        case .failure(let error):
            trace.add(time, "service refuses \(claim): \(error.detail)")
            return .failure(error)
        }
    }

    /// What must never happen when a request of an applier is taken.
    private func watch(
        _ run: SimulatedRun, _ request: SimulatedRequest, _ before: SimulatedSandbox, _ state: State
    ) -> [String] {
        let (claim, now, elapsed) = (request.claim, now, time.elapsed)
        var violations: [String] = []
        if run.origin == .request, run.parameters?.deltaColumn != nil, state.firstOwn.contains(run.flow) {
            violations.append("delta-twice: \(run.id)")
        }
        guard let window = run.window, let flow = manifest.flow(run.flow, at: request.manifestTime) else {
            return violations
        }
        let versions = manifest.flow(run.flow)?.versions(until: elapsed) ?? []
        let claimed = ClaimedWindow(claim: claim, window: window)
        if state.taken[claimed] != nil { violations.append("claim-sent-twice: \(claim)") }
        if state.released.contains(claimed) { violations.append("taken-after-release: \(claim)") }
        let own = before.runs.filter { flow.counts(runsOf: $0.flow) && state.own.contains($0.id) }
        let living = own.filter { run in !versions.contains { run.mayBeFollowed(at: now, $0.retries) } }
        let slots = flow.slots(of: window, at: elapsed)
        if living.filter({ $0.window == window }).count >= slots {
            violations.append("window-twice: \(window) of \(run.flow)")
        }
        let mostAttempts = flow.counted.reduce(0) { sum, id in
            let versions = manifest.flow(id)?.versions(until: elapsed) ?? []
            let slots = versions.map { $0.slots(of: window, at: elapsed) }.max() ?? 0
            return sum + slots * (1 + (versions.map(\.retries.times).max() ?? 0))
        }
        if own.filter({ $0.window == window }).count >= mostAttempts {
            violations.append("retries-exceeded: \(window) of \(run.flow)")
        }
        // A retry of a partial or empty run ingests its window again as declared, whatever that run overlapped.
        let isRetryAsDeclared = before.runs.contains { run in
            flow.counts(runsOf: run.flow) && run.window == window && !run.hasFailed(at: now)
                && versions.contains { run.mayBeFollowed(at: now, $0.retries) }
        }
        // Where overlaps were ever allowed, a retry may be of a window that overlaps another. A rerun, and a retry of one,
        // is of the whole window, even if only a piece of the window itself is left to request.
        let isTrimmed = versions.contains { $0.overlap == .trim }
        func mayBeRerun(_ other: Window) -> Bool { isTrimmed && flow.slots(of: other, at: elapsed) > 1 }
        if !versions.contains(where: { $0.overlap == .allow }), !mayBeRerun(window), !isRetryAsDeclared,
            let other = living.first(where: { run in
                run.window.map { $0 != window && $0.overlaps(window) && !mayBeRerun($0) } ?? false
            })
        {
            violations.append("overlap: \(window) of \(run.flow), with \(other.id.prefix(8))")
        }
        // By the plan's own manifest, and also by the one that is in force now.
        let pauses = [flow.pause, versions.last?.pause]
        if pauses.allSatisfy({ $0?.isActive(at: now) ?? false }) {
            violations.append("paused: \(window) of \(run.flow)")
        }
        if habits.tellsDate, flow.isOfSeries(window), window.end > time.now + state.largestSkew {
            violations.append("window-not-ended: \(window) of \(run.flow)")
        }
        return violations
    }

    /// Draws how the run that is made next is listed and ends.
    ///
    /// - Parameter fails: drawn if `nil`.
    private func draw(fails: Bool? = nil) {
        var lag =
            isQuiet || !random.happens(habits.late)
            ? .zero : random.happens(habits.latest) ? habits.longestLag : random.duration(upTo: habits.longestLag)
        if habits.listsInOrder, let last = runs.map(\.listedAt).max() { lag = max(lag, last - now) }
        var delay = !isQuiet && random.happens(habits.unreadable) ? random.seconds(20, 100, 250) : .zero
        if !isQuiet, random.happens(habits.neverTelling) { delay = .seconds(1_000_000) }
        let pace = RunPace(scheduled: random.seconds(0, 1, 60), inProgress: random.seconds(2, 5, 30, 200))
        let failing = isQuiet ? 0 : fails.map { $0 ? 1 : 0 } ?? habits.failing
        let lateEnd =
            !isQuiet && random.happens(habits.lateEnds)
            ? LateEnd(
                first: random.pick([.success, .success, .empty, .failed]),
                delay: random.seconds(3, 20, 60, 150, 300, 600)) : nil
        let incomplete = habits.tellsCounts && fails == nil && !isQuiet ? 0.15 : failing / 4
        state.withLock { state in
            state.sandbox.configuration.listingLag = lag
            state.sandbox.configuration.windowDelay = delay
            state.sandbox.configuration.pace = pace
            state.sandbox.configuration.outcomes = OutcomeRates(
                failed: failing, partial: fails == nil ? incomplete : 0, empty: fails == nil ? incomplete : 0,
                retriggeredFailed: failing)
            state.sandbox.configuration.lateEnd = lateEnd
        }
    }

    // MARK: People

    /// Requests a run as a person in the user interface does.
    ///
    /// - Parameter fails: drawn if `nil`.
    func requestByHand(
        _ flow: SimulatedFlowDeclaration, _ window: Window, startTime: Timestamp?, fails: Bool? = nil
    ) {
        draw(fails: fails)
        let column = state.withLock { $0.sandbox.deltaColumn(of: flow.id) == nil ? flow.column : nil }
        let parameters = RunParameters(window: window, deltaColumn: column, startTime: startTime)
        let request = RunCreation(flow: flow.id, parameters: parameters, client: ForeignRun.userInterface)
        let (now, createdAt) = (now, time(of: random.below(world.nodes.offsets.count)))
        let run = state.withLock { try? $0.sandbox.createRun(request, at: now, createdAt: createdAt) }
        if let run {
            trace.add(
                time, "somebody REQUESTS \(run.id.prefix(8)) \(window)\(run.outcome == .failed ? ", which fails" : "")")
        }
    }

    /// Re-triggers a failed run as a person in the user interface does.
    func retriggerByHand() {
        draw()
        let (now, createdAt) = (now, time(of: random.below(world.nodes.offsets.count)))
        let failed = runs.filter { $0.hasFailed(at: now) }
        guard !failed.isEmpty else { return }
        let run = random.pick(failed)
        let again = state.withLock { state in
            try? state.sandbox.retrigger(
                run.id, client: ForeignRun.userInterface, at: now, createdAt: createdAt)
        }
        if let again { trace.add(time, "somebody TRIGGERS \(run.id.prefix(8)) again: \(again.id.prefix(8))") }
    }

    /// Whether runs that have not failed cover the whole window.
    func isCovered(_ window: Window, of flow: SimulatedFlowDeclaration) -> Bool {
        uncoveredPieces(of: window, of: flow).isEmpty
    }

    /// The parts of the window that no run covers that has not failed.
    func uncoveredPieces(of window: Window, of flow: SimulatedFlowDeclaration) -> [Window] {
        let now = now
        let covering = runs.filter { flow.counts(runsOf: $0.flow) && !$0.hasFailed(at: now) }.compactMap(\.window)
        var pieces: [Window] = []
        var start = window.start
        for run in covering.sorted() where run.overlaps(window) {
            if let piece = Window(start: start, end: run.start) { pieces.append(piece) }
            start = max(start, run.end)
        }
        return pieces + (Window(start: start, end: window.end).map { [$0] } ?? [])
    }

    /// The id that the answer to a taken request names. It is never that of a run which the sender has not seen: nothing
    /// could tell such an answer from a true one.
    ///
    /// - Parameters:
    ///   - failed: the run that was triggered again.
    ///   - look: the sender's last look at the flow.
    func echo(of run: RunID, retriggering failed: RunID?, after look: SimulatedLook?) -> RunID {
        guard random.happens(0.5) else { return run }
        if let failed { return habits.echo == .failedRun ? failed : run }
        guard habits.echo == .knownRun, let look, let made = runs.last(where: { $0.id == run.description }) else {
            return run
        }
        let known = runs.prefix(look.runCount).filter { $0.flow == made.flow && $0.listedAt <= look.time }
        return known.randomElement(random).flatMap { RunID($0.id) } ?? run
    }

    /// Whether a re-trigger of the run is accepted without creating a run.
    func isRetriggerInVain(_ run: RunID) -> Bool {
        guard habits.echo == .failedRunOnly, random.happens(0.7) else { return false }
        let now = now
        return runs.contains { $0.id == run.description && $0.canBeRetriggered(at: now) }
    }

    /// The answer to a re-trigger names the run itself. Each ledger counts its own attempts, since such a re-trigger may
    /// leave no trace on the service. While all is quiet no answer is lost.
    func noteEcho(_ run: RunID, ledgerCount: Int) {
        let count = state.withLock { state in
            state.echoes[run.description, default: 0] += 1
            if state.isQuiet { state.quietEchoes[run.description, default: 0] += 1 }
            return state.quietEchoes[run.description] ?? 0
        }
        guard count > 0, let flow = runs.first(where: { $0.id == run.description })?.flow else { return }
        let times = manifest.flow(flow)?.versions(until: time.elapsed).map(\.retries.times).max() ?? 0
        if count == 1 + (1 + times) * ledgerCount { violate("triggered-without-end: \(run)") }
    }

    /// How often the answer to a re-trigger of the run named the run itself.
    func echoCount(of run: SimulatedRun) -> Int { state.withLock { $0.echoes[run.id] ?? 0 } }

    func wasClaimed(_ window: Window) -> Bool { state.withLock { $0.claimed.contains(window) } }

    // MARK: Reads

    private var tellsCounts: Bool { habits.tellsCounts }

    func page(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) throws(ServiceError) -> (runs: [ObservedRun], next: String?) {
        let now = now
        return try state.withLock { state throws(ServiceError) in
            let page = try state.sandbox.runs(ListQuery(flow: flow, newestFirst: newestFirst, after: next), at: now)
            return (page.items.map { ObservedRun($0, in: state.sandbox, at: now, tellsCounts: tellsCounts) }, page.next)
        }
    }

    func page(
        ofAny flows: [FlowID], newestFirst: Bool, after next: String?
    ) throws(ServiceError) -> (runs: [ListedRun], next: String?) {
        let now = now
        return try state.withLock { state throws(ServiceError) in
            let page = try state.sandbox.runs(ListQuery(flows: flows, newestFirst: newestFirst, after: next), at: now)
            return (page.items.map { ListedRun($0, in: state.sandbox, at: now, tellsCounts: tellsCounts) }, page.next)
        }
    }

    func run(_ id: RunID) -> ListedRun? {
        let now = now
        return state.withLock { state in
            (try? state.sandbox.run(id.description)).map {
                ListedRun($0, in: state.sandbox, at: now, tellsCounts: tellsCounts)
            }
        }
    }

    func flow(_ id: FlowID) -> ServiceFlow? {
        let now = now
        return state.withLock { state in
            guard let flow = state.sandbox.flow(id) else { return nil }
            return ServiceFlow(
                id: id, name: flow.name, state: flow.state, specification: nil, frequency: flow.frequency,
                deltaColumn: state.sandbox.deltaColumn(of: id),
                lastRun: state.sandbox.lastRun(of: id, at: now).flatMap { RunID($0.id) })
        }
    }

    // MARK: What ledgers record

    /// A claim is committed: the runs that could be seen when its owner looked must have been counted.
    ///
    /// - Parameter told: windows of runs, from `acknowledged` in the owner's manifests.
    func watchClaim(
        _ claim: ClaimID, _ flow: FlowID, _ window: Window, manifestTime: Duration, told: [RunID: Window],
        looks: (FlowID) -> SimulatedLook?
    ) {
        state.withLock { _ = $0.claimed.insert(window) }
        guard let declaration = manifest.flow(flow, at: manifestTime) else { return }
        let (now, elapsed) = (now, time.elapsed)
        let versions = manifest.flow(flow)?.versions(until: elapsed) ?? []
        func mayBeFollowed(_ run: SimulatedRun) -> Bool {
            versions.contains { run.mayBeFollowed(at: now, $0.retries) }
        }
        let seen = runs.enumerated().filter { index, run in
            guard let look = looks(run.flow), index < look.runCount else { return false }
            return declaration.counts(runsOf: run.flow) && run.window?.overlaps(window) ?? false
                && run.listedAt <= look.time
                && (run.windowListedAt <= look.time || RunID(run.id).flatMap { told[$0] } == run.window)
                && !acknowledgements.isForeign(run)
        }.map(\.element)
        let same = seen.filter { $0.window == window && !mayBeFollowed($0) }
        if same.count >= declaration.slots(of: window, at: elapsed) {
            violate("visible-run-ignored: \(claim), \(window), \(same.map { $0.id.prefix(8) })")
        }
        // The rule is for new windows, not for a retry or a rerun of one that was run.
        if declaration.overlap != .allow,
            !runs.contains(where: { declaration.counts(runsOf: $0.flow) && $0.window == window }),
            let other = seen.first(where: { !mayBeFollowed($0) })
        {
            violate("visible-overlap-ignored: \(claim), \(window), \(other.id.prefix(8))")
        }
    }

    /// Checks a released claim: its requests must not have been accepted. Where an older export brought the claim back after its run was recorded,
    /// the run counts all the same.
    func watchRelease(_ claim: ClaimedWindow, recorded: Set<String>) {
        let taken = state.withLock { state in
            state.released.insert(claim)
            return state.taken[claim, default: []]
        }
        if !taken.isSubset(of: recorded) { violate("released-but-taken: \(claim.claim), \(claim.window)") }
    }
}

/// A request that has arrived at the service.
struct SimulatedRequest: Sendable {
    let claim: ClaimID
    /// The node that accepts the request.
    let node: Int
    /// When the manifests of its plan were read.
    let manifestTime: Duration
}

/// One request of a claim, which may cover several windows.
struct ClaimedWindow: Hashable, Sendable {
    let claim: ClaimID
    let window: Window
}
