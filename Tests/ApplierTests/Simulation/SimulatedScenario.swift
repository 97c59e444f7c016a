import FlowRuns
import FlowServiceSimulator
import Ledger
import Synchronization

/// One simulation, drawn from a seed: what is declared, which machines and ledgers there are, who does what and when,
/// and what goes wrong. After a while all becomes quiet; then everything must come to its end.
struct SimulatedScenario: Sendable {
    /// Where the ledger lies, and what becomes of it.
    enum Mode: String, CaseIterable {
        /// One shared ledger, several machines.
        case shared
        /// A file on one machine, which is lost, or put back, while nothing runs.
        case own
        /// The same while appliers are at work.
        case swapped
        /// A file that is copied from machine to machine, with the work.
        case moved
        /// Each machine has its own file; their applies come one after the other.
        case separate
    }

    struct Result: Equatable {
        var violations: [String]
        var trace: [String]
    }

    let seed: UInt64
    let mode: Mode

    /// - Parameter mode: `nil` draws one.
    init(seed: UInt64, mode: Mode? = nil) {
        self.seed = seed
        self.mode = mode ?? Mode.allCases[Int(seed % UInt64(Mode.allCases.count))]
    }

    func run(tracing: Bool = false) -> Result {
        let simulation = Simulation(seed: seed, mode: mode, tracing: tracing)
        let hasEnded = SimulationExecutor().run(time: simulation.time, random: simulation.random) {
            await simulation.run()
        }
        return Result(
            violations: simulation.service.violations + (hasEnded ? [] : ["the simulation hangs"]),
            trace: simulation.trace.all)
    }
}

/// How long something goes on in a simulation.
enum Span {
    /// So long things go wrong.
    static let disturbed = Duration.seconds(700)
    static let requestTimeout = Duration.seconds(30)
}

/// One simulation while it runs.
final class Simulation: Sendable {
    let mode: SimulatedScenario.Mode
    let random: SimulationRandom
    let time = VirtualTime()
    let service: SimulatedService
    let machines: [SimulatedMachine]
    let misfortunes: Misfortunes
    let settle: Duration
    let trace: Trace

    private struct State {
        /// The ledger on which the work goes on.
        var contents: InMemoryContents
        var history: [InMemoryContents] = []
        var processes: [SimulatedProcess] = []
    }

    private let state: Mutex<State>

    init(seed: UInt64, mode: SimulatedScenario.Mode, tracing: Bool) {
        let random = SimulationRandom(seed: seed)
        self.random = random
        self.mode = mode
        trace = Trace(isOn: tracing)
        settle = random.seconds(90, 120, 120)
        misfortunes = Misfortunes(
            kill: random.pick([0, 0.005, 0.02]), pause: random.pick([0, 0.01, 0.03]),
            network: random.pick([0, 0.05, 0.25]), store: random.pick([0, 0.03, 0.1]),
            isSlow: random.happens(0.1))
        let contents = InMemoryContents()
        state = Mutex(State(contents: contents))
        service = SimulatedService(
            habits: Self.habits(random, settle), sandbox: Self.sandbox(random), manifest: .drawn(random),
            skew: random.seconds(0, 0, -500, 86_400), time: time, random: random, trace: trace)
        let count =
            switch mode {
            case .own, .swapped: 1
            case .moved, .separate: 2
            case .shared: random.pick([1, 2, 3])
            }
        let time = time
        machines = (0..<count).map { number in
            let ledger: InMemoryContents? =
                switch mode {
                case .shared, .own, .swapped: contents
                case .moved: number == 0 ? contents : nil
                case .separate: InMemoryContents()
                }
            return SimulatedMachine(
                number, clock: MachineClock(time, skew: random.seconds(0, 0, -200, 150, 3)),
                journal: mode == .shared ? nil : MemoryJournal(), ledger: ledger)
        }
    }

    private static func habits(_ random: SimulationRandom, _ settle: Duration) -> SimulatedService.Habits {
        var habits = SimulatedService.Habits()
        habits.longestLag = settle - Span.requestTimeout * 2 - .milliseconds(10)
        (habits.late, habits.latest) = random.pick([(0, 0), (0.6, 0.4), (0.6, 0.4), (1, 1)])
        habits.unreadable = random.pick([0, 0, 0.5])
        habits.failing = random.pick([0, 0, 0.3])
        habits.refusesOrder = random.happens(0.1)
        habits.tellsDate = random.happens(0.9)
        return habits
    }

    private static func sandbox(_ random: SimulationRandom) -> SandboxConfiguration {
        SandboxConfiguration(
            seed: random.number(), pageSize: random.pick([2, 3, 10]), paging: random.pick([.stable, .shifting]),
            lastRunDetails: random.pick(LastRunDetails.allCases), tellsClient: random.happens(0.6))
    }

    // MARK: The ledger

    /// The ledger on which the work goes on.
    var contents: InMemoryContents { state.withLock(\.contents) }

    private func isAtWork(_ machine: SimulatedMachine) -> Bool {
        machine.contents != nil && (mode != .moved || machine.contents === contents)
    }

    func noteHistory(_ contents: InMemoryContents) {
        guard mode == .own || mode == .swapped else { return }
        let copy = InMemoryContents(copyOf: contents)
        state.withLock { $0.history.append(copy) }
    }

    /// The ledger is lost, put back as it once was, or moved to another machine.
    private func disturb() {
        if mode != .swapped { state.withLock(\.processes).forEach { $0.kill() } }
        if mode == .moved {
            guard let from = machines.first(where: isAtWork), let to = machines.first(where: { !isAtWork($0) }) else {
                return
            }
            let copy = InMemoryContents(copyOf: contents)
            state.withLock { $0.contents = copy }
            to.put(copy)
            trace.add(time, "LEDGER COPIED m\(from.number) -> m\(to.number)")
        } else {
            let isLost = random.happens(0.4)
            let history = state.withLock(\.history)
            let recent = random.happens(0.7) ? Array(history.suffix(6)) : history
            let new = isLost || recent.isEmpty ? InMemoryContents() : InMemoryContents(copyOf: random.pick(recent))
            state.withLock { $0.contents = new }
            machines[0].put(new)
            trace.add(time, isLost ? "LEDGER LOST" : "LEDGER PUT BACK")
        }
    }

    // MARK: Who does what

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (delay, action) in schedule() {
                group.addTask {
                    await self.time.sleep(delay)
                    await action()
                }
            }
        }
        service.becomeQuiet()
        await time.sleep(max(.zero, Span.disturbed - time.elapsed) + .seconds(500))
        await finish()
    }

    private typealias Action = @Sendable () async -> Void

    private func schedule() -> [(Duration, Action)] {
        var actions: [(Duration, Action)] = []
        for machine in machines {
            for _ in 0..<random.pick([0, 0, 1, 2]) {
                let skew = random.seconds(0, 100, -150, 300)
                actions.append((random.duration(upTo: Span.disturbed), { machine.clock.set(ahead: skew) }))
            }
        }
        if mode == .separate {
            actions.append((.zero, takeTurns))
        } else {
            for _ in 0..<random.pick([1, 2, 3, 4]) {
                let at = random.pick([.zero, random.duration(upTo: .seconds(300)), random.duration(upTo: .seconds(20))])
                actions.append((at, { await self.apply(self.random.pick(self.machines), restarts: true) }))
            }
            for _ in 0..<random.pick([0, 2, 4]) {
                actions.append(
                    (random.duration(upTo: Span.disturbed), { await self.apply(self.random.pick(self.machines)) }))
            }
            for _ in 0..<random.pick([0, 3, 8]) {
                actions.append(
                    (random.duration(upTo: Span.disturbed), { await self.refresh(self.random.pick(self.machines)) }))
            }
        }
        for _ in 0..<random.pick([0, 0, 1, 3]) {
            actions.append((random.duration(upTo: .seconds(500)), { self.requestByHand() }))
        }
        for _ in 0..<random.pick([0, 0, 2]) {
            actions.append((random.duration(upTo: .seconds(600)), { self.service.retriggerByHand() }))
        }
        if [.own, .swapped, .moved].contains(mode) {
            for _ in 0..<random.pick([1, 2, 3]) {
                actions.append((random.duration(.seconds(5) ... .seconds(600)), { await self.disturbAndApply() }))
            }
        }
        return actions
    }

    private func disturbAndApply() async {
        disturb()
        let delays = (0..<random.pick([1, 2])).map { _ in random.seconds(0, 1, 10, 100) }
        await withTaskGroup(of: Void.self) { group in
            for delay in delays {
                group.addTask {
                    await self.time.sleep(delay)
                    await self.apply(self.random.pick(self.machines))
                }
            }
        }
    }

    /// Machines with ledgers of their own apply one after the other, each when the service lists what the one before
    /// has requested.
    private func takeTurns() async {
        while time.elapsed < Span.disturbed {
            await apply(random.pick(machines))
            await time.sleep(settle + random.seconds(1, 30, 100))
        }
    }

    private func requestByHand() {
        let flow = random.pick(service.manifest.flows)
        let window = random.pick(flow.allWindows)
        if flow.source == .table, service.runs.allSatisfy({ $0.flow != flow.id }), random.happens(0.5) { return }
        service.requestByHand(flow, window, startTime: random.happens(0.1) ? service.now + .seconds(200) : nil)
    }

    private func process(on machine: SimulatedMachine) -> SimulatedProcess? {
        guard isAtWork(machine), let contents = machine.contents else { return nil }
        return state.withLock { state in
            let process = SimulatedProcess(
                number: state.processes.count + 1, machine: machine, contents: contents, service: service,
                misfortunes: misfortunes, limits: (Span.requestTimeout, settle),
                onCommit: { self.noteHistory(contents) })
            state.processes.append(process)
            return process
        }
    }

    private func apply(_ machine: SimulatedMachine, restarts: Bool = false) async {
        guard let process = process(on: machine) else { return }
        await SimulatedCommands(process: process).apply()
        // A job that died may be started again.
        guard restarts, !process.isAlive, !service.isQuiet, random.happens(0.7) else { return }
        await time.sleep(random.seconds(1, 5, 40))
        await apply(machine, restarts: true)
    }

    private func refresh(_ machine: SimulatedMachine) async {
        guard let process = process(on: machine) else { return }
        await SimulatedCommands(process: process).refresh()
    }

    // MARK: The end

    /// Without misfortune everything must come to its end.
    private func finish() async {
        let last = machines.filter(isAtWork)
        for _ in 0..<14 {
            for machine in last { await apply(machine) }
            for machine in last { await refresh(machine) }
            await time.sleep(.seconds(400))
            if await audit(last).isEmpty { return }
        }
        for words in await audit(last) { service.violate(words) }
    }

    /// What is not as it must be in the end.
    private func audit(_ machines: [SimulatedMachine]) async -> [String] {
        var faults: [String] = []
        for machine in machines {
            guard let process = process(on: machine) else { continue }
            faults += await SimulatedCommands(process: process).audit()
        }
        for flow in service.manifest.flows {
            for window in flow.allWindows {
                let runs = service.runs.filter { $0.flow == flow.id && $0.window == window }
                let slots = flow.slots(of: window, at: time.elapsed)
                if flow.overlap != .trim, !runs.contains(where: { $0.outcome == .failed }), runs.count < slots {
                    faults.append("not-run: \(window) of \(flow.id): \(runs.count) of \(slots)")
                }
            }
        }
        return faults
    }
}
