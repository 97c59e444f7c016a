import FlowRuns
import FlowServiceSimulator
import Ledger

/// Who does what, and when.
extension Simulation {
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
        for time in service.manifest.replacements { actions.append((time, replaceFlow)) }
        for time in Set(service.manifest.flows.flatMap(\.edits).map(\.at)).sorted() {
            actions.append((time, editManifest))
        }
        for step in world.clockSteps { actions.append((step.at, { self.service.stepClock(by: step.by) })) }
        for _ in 0..<random.pick([0, 0, 1, 3]) {
            actions.append((random.duration(upTo: .seconds(500)), { self.requestByHand() }))
        }
        for _ in 0..<random.pick([0, 0, 2]) {
            actions.append((random.duration(upTo: .seconds(600)), { self.service.retriggerByHand() }))
        }
        for _ in 0..<random.pick([0, 3, 6]) {
            actions.append(
                (
                    random.duration(upTo: Span.disturbed),
                    { self.service.acknowledge(mayBeMistaken: self.isMistakeHarmless) }
                ))
        }
        if mode == .reset {
            for _ in 0..<random.pick([1, 2, 3]) {
                actions.append((random.duration(.seconds(5) ... .seconds(600)), { await self.resetAndApply() }))
            }
        } else if mode.isPutBack || mode == .moved {
            for _ in 0..<random.pick([1, 2, 3]) {
                actions.append((random.duration(.seconds(5) ... .seconds(600)), { await self.disturbAndApply() }))
            }
            for _ in 0..<random.pick([0, 0, 1]) {
                actions.append((random.duration(.seconds(5) ... .seconds(600)), { await self.importExport() }))
            }
        }
        if mode == .addressed { actions.append((.zero, changeAddress)) }
        if world.has(.cuts) {
            for _ in 0..<random.pick([1, 2, 3]) {
                actions.append((random.duration(upTo: .seconds(600)), { self.requestOtherCutByHand() }))
            }
        }
        if world.has(.mistakes) {
            for _ in 0..<random.pick([1, 2]) {
                actions.append((random.duration(upTo: .seconds(400)), { self.requestByHand() }))
            }
            for _ in 0..<random.pick([3, 6]) {
                actions.append((random.duration(upTo: .seconds(600)), { self.service.acknowledgeWrongly() }))
            }
            for _ in 0..<random.pick([0, 2, 4]) {
                actions.append((random.duration(upTo: Span.disturbed), { self.service.correctAcknowledgement() }))
            }
        }
        if world.has(.plans), mode != .separate {
            for _ in 0..<random.pick([1, 2, 3]) {
                actions.append((random.duration(upTo: .seconds(500)), { await self.planAndApplyLater() }))
            }
        }
        return actions
    }

    /// Whether an acknowledgement that calls an applier's own run a foreign one must change nothing: the ledger has
    /// recorded the run, or has an open claim of its window, which is then held until the word is corrected.
    private func isMistakeHarmless(_ run: SimulatedRun) -> Bool {
        guard mode == .shared, let snapshot = try? InMemoryStore(contents).snapshot(of: run.flow) else { return false }
        if snapshot.runs.contains(where: { $0.id?.description == run.id && $0.origin == .request }) { return true }
        let isClaimed = snapshot.runs.contains { $0.state.isDoubtful && $0.window == run.window }
        return isClaimed && !service.acknowledgements.of(run.flow).contains { $0.run.description == run.id }
    }

    private func resetAndApply() async {
        resetLedger()
        await applySoon()
    }

    private func changeAddress() async {
        let file = contents
        let (isCopied, others) = (random.happens(0.5), random.happens(0.4))
        let address = random.pick([SimulatedMachine.Address.database, .git])
        await time.sleep(random.duration(.seconds(20) ... .seconds(300)))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.leaveFile(isCopied: isCopied, for: address, others: others) }
            group.addTask { await self.applySoon() }
            if random.happens(0.7) {
                group.addTask {
                    await self.time.sleep(self.random.duration(.seconds(5) ... .seconds(250)))
                    self.returnToFile(file)
                    await self.applySoon()
                }
            }
        }
    }

    private func planAndApplyLater() async {
        let machine = random.pick(machines)
        await savePlan(on: machine, ahead: ahead())
        await time.sleep(random.seconds(1, 20, 100, 200, 400))
        await applySavedPlan(on: machine)
    }

    /// Starts an apply with the edited manifest, unless machines take turns.
    private func editManifest() async {
        trace.add(time, "the manifest is EDITED")
        guard mode != .separate else { return }
        await time.sleep(random.seconds(0, 1, 20))
        await apply(random.pick(machines), restarts: true)
    }

    /// How far `asOf` of a plan is ahead of the machine's clock.
    private func ahead() -> Duration { random.seconds(0, 0, 120, 3600, 259_200) }

    /// Requests a foreign run of several declared windows, or of a window that is cut otherwise.
    private func requestOtherCutByHand() {
        guard let flow = service.manifest.flow(random.pick(service.manifest.flows).id, at: time.elapsed) else { return }
        let windows = flow.allWindows.sorted()
        let first = random.below(windows.count)
        let last = min(windows.count - 1, first + random.pick([0, 1, 1, 2, 7]))
        let shift = random.seconds(0, 0, 0, 20, -30)
        guard let window = Window(start: windows[first].start + shift, end: windows[last].end + shift) else { return }
        if flow.source == .table, service.runs.allSatisfy({ $0.flow != flow.id }), random.happens(0.5) { return }
        service.requestByHand(flow, window, startTime: nil, fails: random.happens(0.6))
    }

    private func disturbAndApply() async {
        await disturb()
        await applySoon()
    }

    private func applySoon() async {
        let delays = (0..<random.pick([1, 2])).map { _ in random.seconds(0, 1, 10, 100) }
        await withTaskGroup(of: Void.self) { group in
            for delay in delays {
                group.addTask {
                    await self.time.sleep(delay)
                    let machines = self.machines.filter(self.isAtWork)
                    await self.apply(self.random.pick(machines.isEmpty ? self.machines : machines))
                }
            }
        }
    }

    /// Machines with ledgers of their own apply one after the other, each when the service lists what the one before
    /// has requested.
    private func takeTurns() async {
        while time.elapsed < Span.disturbed {
            let machine = random.pick(machines)
            switch world.has(.plans) ? random.below(3) : 0 {
            case 1: await savePlan(on: machine, ahead: ahead())
            case 2: await applySavedPlan(on: machine)
            default: await apply(machine)
            }
            // With hints, only wait until every request has arrived: `lastRunDetails` names the newest run at once.
            let pause = world.has(.hints) ? Span.requestTimeout : limits.settle
            await time.sleep(pause + random.seconds(1, 5, 30, 100))
        }
    }

    private func requestByHand() {
        let flow = random.pick(service.manifest.flows)
        var window = random.pick(flow.allWindows)
        // Cut otherwise than it is declared.
        if random.happens(0.15) { window = window.shifted(by: random.seconds(-30, 20, 60)) }
        if flow.source == .table, service.runs.allSatisfy({ $0.flow != flow.id }), random.happens(0.5) { return }
        service.requestByHand(flow, window, startTime: random.happens(0.1) ? service.now + .seconds(200) : nil)
    }

    func apply(_ machine: SimulatedMachine, restarts: Bool = false) async {
        guard let process = process(on: machine) else { return }
        await SimulatedCommands(process: process).apply()
        // A job that died may be started again.
        guard restarts, !process.isAlive, !service.isQuiet, random.happens(0.7) else { return }
        await time.sleep(random.seconds(1, 5, 40))
        await apply(machine, restarts: true)
    }

    func refresh(_ machine: SimulatedMachine, readsAll: Bool? = nil) async {
        guard let process = process(on: machine) else { return }
        await SimulatedCommands(process: process).refresh(readsAll: readsAll)
    }
}

extension Window {
    fileprivate func shifted(by duration: Duration) -> Window {
        Window(start: start + duration, end: end + duration) ?? self
    }
}
