import FlowRuns
import FlowServiceSimulator
import Ledger
import Planner
import Synchronization

/// One simulation while it runs.
final class Simulation: Sendable {
    let mode: SimulatedScenario.Mode
    let random: SimulationRandom
    let time = VirtualTime()
    let service: SimulatedService
    let machines: [SimulatedMachine]
    let misfortunes: Misfortunes
    let limits: SimulatedLimits
    let trace: Trace
    let world: SimulatedWorld

    private struct State {
        /// The ledger on which the work goes on.
        var contents: InMemoryContents
        var history: [InMemoryContents] = []
        /// The last saved plan of each machine.
        var savedPlans: [Int: SavedPlan] = [:]
        var processes: [SimulatedProcess] = []
    }

    /// A saved plan, with the ledger and the manifests that it was made from.
    struct SavedPlan: Sendable {
        let plan: Plan
        let contents: InMemoryContents
        let manifestTime: Duration
    }

    private let state: Mutex<State>

    init(seed: UInt64, mode: SimulatedScenario.Mode, world: SimulatedWorld, tracing: Bool) {
        let random = SimulationRandom(seed: seed)
        self.world = world
        self.random = random
        self.mode = mode
        trace = Trace(isOn: tracing)
        limits = SimulatedLimits(
            requestTimeout: Span.requestTimeout, settle: random.seconds(90, 120, 120),
            requestsPerClaim: random.pick(mode.isShared ? [1, 2, 4, 8] : [1, 1, 1, 4]), isShared: mode.isShared,
            ledgerCount: mode == .separate || mode == .clones ? 2 : 1)
        misfortunes = Misfortunes(
            kill: random.pick([0, 0.005, 0.02]), pause: random.pick([0, 0.01, 0.03]),
            network: random.pick([0, 0.05, 0.25]), store: random.pick([0, 0.03, 0.1]),
            isSlow: random.happens(0.1))
        let contents = InMemoryContents()
        state = Mutex(State(contents: contents))
        service = SimulatedService(
            habits: Self.habits(random, limits.settle, world), sandbox: Self.sandbox(random, world),
            manifest: .drawn(random, world),
            world: world,
            skew: random.seconds(0, 0, -500, 86_400), time: time, random: random, trace: trace)
        let count =
            switch mode {
            case .own, .swapped, .reset: 1
            case .moved, .separate, .clones, .addressed: 2
            case .shared, .restored: random.pick([1, 2, 3])
            }
        let time = time
        let shared = (
            clock: MachineClock(time, skew: random.seconds(0, 0, -200, 150, 3)), journal: MemoryJournal()
        )
        machines = (0..<count).map { number in
            let ledger: InMemoryContents? =
                switch mode {
                case .shared, .restored, .own, .swapped, .reset: contents
                case .moved, .addressed: number == 0 ? contents : nil
                case .separate, .clones: InMemoryContents()
                }
            if mode == .clones {
                return SimulatedMachine(number, clock: shared.clock, journal: shared.journal, ledger: ledger)
            }
            // A machine without a place of its own, as in CI, keeps no journal of a shared ledger.
            let machine = SimulatedMachine(
                number, clock: MachineClock(time, skew: random.seconds(0, 0, -200, 150, 3)),
                journal: mode.isShared && mode != .reset && random.happens(0.5)
                    ? nil : MemoryJournal(isThere: mode.isShared),
                ledger: ledger)
            if mode == .reset { machine.put(ledger, at: .git) }
            return machine
        }
    }

    private static func habits(
        _ random: SimulationRandom, _ settle: Duration, _ world: SimulatedWorld
    ) -> SimulatedService.Habits {
        var habits = SimulatedService.Habits()
        habits.longestLag = settle - Span.requestTimeout * 2 - .milliseconds(10)
        (habits.late, habits.latest) = random.pick([(0, 0), (0.6, 0.4), (0.6, 0.4), (1, 1)])
        habits.unreadable = random.pick([0, 0, 0.5])
        habits.neverTelling = random.pick([0, 0, 0.2])
        habits.failing = random.pick([0, 0, 0.3])
        habits.refusesOrder = random.happens(0.1)
        habits.ignoresOrder = random.happens(0.1)
        habits.tellsDate = random.happens(0.9)
        habits.leavingOut = random.pick([0, 0, 0.3])
        if world.has(.ends) {
            (habits.tellsCounts, habits.lateEnds) = (true, random.pick([0.4, 0.8]))
            habits.failing = random.pick([0.1, 0.3])
        }
        if world.has(.mistakes) {
            (habits.unreadable, habits.neverTelling) = random.pick([(0.7, 0), (0.3, 0.3), (0, 0.5)])
        }
        if world.has(.hints) {
            habits.listsInOrder = true
            (habits.late, habits.latest) = (0.8, 0.7)
        }
        if world.has(.addresses) { (habits.late, habits.latest) = random.pick([(0.6, 0.4), (1, 1)]) }
        if world.has(.edits) { habits.failing = random.pick([0.1, 0.3, 0.5]) }
        if world.has(.echoes) {
            habits.echo = random.pick([.failedRun, .failedRunOnly, .knownRun])
            habits.failing = 0.4
        }
        return habits
    }

    private static func sandbox(_ random: SimulationRandom, _ world: SimulatedWorld) -> SandboxConfiguration {
        var sandbox = SandboxConfiguration(
            seed: random.number(), pageSize: random.pick([2, 3, 10]), paging: random.pick([.stable, .shifting]),
            severalValues: random.pick([.any, .any, .any, .any] + SeveralValuesMeaning.allCases),
            lastRunDetails: random.pick(LastRunDetails.allCases), listsClient: random.happens(0.6))
        if world.has(.hints) { sandbox.lastRunDetails = .all }
        return sandbox
    }

    // MARK: The ledger

    /// The ledger on which the work goes on.
    var contents: InMemoryContents { state.withLock(\.contents) }

    func isAtWork(_ machine: SimulatedMachine) -> Bool {
        machine.contents != nil && (mode != .moved || machine.contents === contents)
    }

    func noteHistory(_ contents: InMemoryContents) {
        guard mode.isPutBack else { return }
        let copy = InMemoryContents(copyOf: contents)
        state.withLock { $0.history.append(copy) }
    }

    /// The ledger is lost, put back as it once was, or moved to another machine.
    func disturb() async {
        let areAtWork = mode == .swapped || (mode == .restored && random.happens(0.3))
        if !areAtWork { state.withLock(\.processes).forEach { $0.kill() } }
        if mode == .restored {
            let old = random.happens(0.2) ? nil : recentCopies().randomElement(random)
            contents.restore(old ?? InMemoryContents())
            try? await InMemoryStore(contents).requireRecheck(of: service.manifest.flows.map(\.id)) {
                String(random.number(), radix: 36)
            }
            trace.add(time, "LEDGER \(old == nil ? "LOST" : "RESTORED"), and to be rechecked")
        } else if mode == .moved {
            guard let from = machines.first(where: isAtWork), let to = machines.first(where: { !isAtWork($0) }) else {
                return
            }
            let copy = InMemoryContents(copyOf: contents)
            state.withLock { $0.contents = copy }
            to.put(copy)
            trace.add(time, "LEDGER COPIED m\(from.number) -> m\(to.number)")
        } else {
            let isLost = random.happens(0.4)
            let recent = recentCopies()
            var new = InMemoryContents()
            var words = "LOST"
            if !isLost, !recent.isEmpty {
                let old = random.pick(recent)
                switch random.below(4) {
                case 0: words = "IMPORTED from an export, \(await SimulatedExport(of: old, random).restore(into: new))"
                case 1:
                    new = InMemoryContents(copyOf: random.pick(recent))
                    words = "PUT BACK, and IMPORTED, \(await SimulatedExport(of: old, random).restore(into: new))"
                default: (new, words) = (InMemoryContents(copyOf: old), "PUT BACK")
                }
            }
            let ledger = new
            state.withLock { $0.contents = ledger }
            machines[0].put(ledger)
            trace.add(time, "LEDGER \(words)")
        }
    }

    /// What the ledger once was; mostly not long ago.
    private func recentCopies() -> [InMemoryContents] {
        let history = state.withLock(\.history)
        return random.happens(0.7) ? Array(history.suffix(6)) : history
    }

    /// The manifest that declares a new flow in place of another goes into force; no process works with the earlier one.
    func replaceFlow() async {
        trace.add(time, "a flow is REPLACED")
        state.withLock(\.processes).forEach { $0.kill() }
        // Those that take turns do so still.
        if mode != .separate { await apply(random.pick(machines), restarts: true) }
    }

    /// Changes the ledger's address from the file to a shared store.
    ///
    /// - Parameters:
    ///   - isCopied: whether the file is copied into the shared store.
    ///   - others: whether other machines use the shared store, too.
    func leaveFile(isCopied: Bool, for address: SimulatedMachine.Address, others: Bool) async {
        state.withLock(\.processes).forEach { $0.kill() }
        let shared = InMemoryContents()
        if isCopied { _ = try? await InMemoryStore(contents).copy(to: InMemoryStore(shared)) }
        trace.add(time, "LEDGER AT ANOTHER ADDRESS, \(address), \(isCopied ? "a copy" : "empty")")
        state.withLock { $0.contents = shared }
        machines[0].put(shared, at: address)
        guard others else { return }
        // A new machine cannot detect requests of another machine's file that are not listed yet.
        if !isCopied { await time.sleep(limits.settle + Span.requestTimeout * 2) }
        if contents === shared { machines[1].put(shared, at: address) }
    }

    /// Changes the address back to the old file, if the machine has used the shared store: otherwise it cannot detect the
    /// change.
    func returnToFile(_ file: InMemoryContents) {
        guard machines[0].hasUsedLaterAddress || machines[1].contents == nil else { return }
        state.withLock(\.processes).forEach { $0.kill() }
        trace.add(time, "LEDGER IS THE OLD FILE AGAIN")
        state.withLock { $0.contents = file }
        machines[0].put(file, at: .first)
        machines[1].put(nil)
    }

    /// Resets the shared ledger to an older state, without a `ledger recheck`.
    func resetLedger() {
        if random.happens(0.5) { state.withLock(\.processes).forEach { $0.kill() } }
        guard let old = recentCopies().randomElement(random) else { return }
        contents.restore(old)
        trace.add(time, "LEDGER RESET to an earlier state")
    }

    // MARK: Saved plans

    func savePlan(on machine: SimulatedMachine, ahead: Duration) async {
        guard let process = process(on: machine) else { return }
        guard let plan = await SimulatedCommands(process: process).savePlan(ahead: ahead) else { return }
        let saved = SavedPlan(plan: plan, contents: process.contents, manifestTime: process.manifestTime)
        state.withLock { $0.savedPlans[machine.number] = saved }
    }

    /// Applies the machine's saved plan to the ledger that it names. A plan from before the replacement of a flow is
    /// skipped: replacing requires that no apply uses the earlier manifest.
    func applySavedPlan(on machine: SimulatedMachine) async {
        guard let saved = state.withLock({ $0.savedPlans[machine.number] }) else { return }
        // Two ledgers at one moment on two machines are not kept apart.
        guard saved.contents === machine.contents || machines.allSatisfy({ $0 === machine || $0.contents == nil })
        else {
            return
        }
        guard !service.manifest.replacements.contains(where: { saved.manifestTime < $0 && $0 <= time.elapsed }),
            let process = process(on: machine, applying: saved)
        else { return }
        await SimulatedCommands(process: process).apply(saved: saved.plan)
    }

    /// An export is put into the ledger at which appliers are at work.
    func importExport() async {
        guard let old = state.withLock(\.history).randomElement(random) else { return }
        let result = await SimulatedExport(of: old, random).restore(into: contents)
        trace.add(time, "IMPORTED, \(result)")
        noteHistory(contents)
    }

    /// - Parameter saved: the plan to apply, if it was saved earlier.
    func process(on machine: SimulatedMachine, applying saved: SavedPlan? = nil) -> SimulatedProcess? {
        guard isAtWork(machine), var contents = machine.contents else { return nil }
        // In the other modes the address is unchanged: the ledger that is there now is opened.
        if mode == .addressed, let saved { contents = saved.contents }
        let opened = contents
        return state.withLock { state in
            let process = SimulatedProcess(
                number: state.processes.count + 1, machine: machine, contents: opened, service: service,
                misfortunes: misfortunes, limits: limits, manifestTime: saved?.manifestTime,
                canBeReplaced: mode != .addressed, onCommit: { self.noteHistory(opened) })
            state.processes.append(process)
            return process
        }
    }

    // MARK: The end

    /// Without misfortune everything must come to its end.
    func finish() async {
        service.acknowledgeAll()
        let last = machines.filter(isAtWork)
        // A re-trigger that creates no run takes two rounds to settle.
        for round in 0..<(world.has(.echoes) ? 40 : 14) {
            for machine in last { await apply(machine) }
            for machine in last { await refresh(machine, readsAll: round % 3 == 2) }
            await time.sleep(.seconds(400))
            if await audit(last).isEmpty { return }
        }
        for words in await audit(last) { service.violate(words) }
    }

    /// What is not as it must be in the end.
    private func audit(_ machines: [SimulatedMachine]) async -> [String] {
        var faults: [String] = []
        let mayBeBlocked = service.manifest.flows.contains {
            $0.version(at: time.elapsed).canBeBlocked(by: service.runs)
        }
        for machine in machines {
            guard let process = process(on: machine) else { continue }
            faults += await SimulatedCommands(process: process).audit(mayBeBlocked: mayBeBlocked)
        }
        let flows = service.manifest.flows.map { $0.version(at: time.elapsed) }
        for flow in flows where !mayBeBlocked && flow.isDeclared(at: time.elapsed) && flow.pause == nil {
            for window in flow.allWindows {
                let runs = service.runs.filter { flow.counts(runsOf: $0.flow) && $0.window == window }
                let slots = flow.slots(of: window, at: time.elapsed)
                if flow.overlap != .trim, flow.batch == nil, !runs.contains(where: { $0.outcome == .failed }),
                    runs.count < slots, !isCoveredOtherwise(window, of: flow)
                {
                    faults.append("not-run: \(window) of \(flow.id): \(runs.count) of \(slots)")
                }
            }
        }
        return faults
    }

    private func isCoveredOtherwise(_ window: Window, of flow: SimulatedFlowDeclaration) -> Bool {
        service.runs.contains {
            flow.counts(runsOf: $0.flow) && $0.window != window && $0.window?.overlaps(window) ?? false
        }
    }
}
