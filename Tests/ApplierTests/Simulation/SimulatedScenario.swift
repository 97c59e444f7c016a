import Applier
import FlowRuns
import Ledger
import Manifests
import Planner
import Synchronization

/// One world made from a seed: flows and windows, what other people ran before and run meanwhile, rival appliers that
/// crash and start again. At its end a last applier without misfortune finishes the job, and everything is checked.
struct SimulatedScenario {
    let seed: UInt64

    struct Result: Equatable {
        /// What was violated, in words; empty when all held.
        var violations: [String]
        /// What happened, in order; empty unless it was asked for.
        var trace: [String]
    }

    func run(tracing: Bool = false) -> Result {
        let dice = Dice(seed: seed)
        let time = VirtualTime()
        let declarations = declare(dice)
        let limits = drawLimits(dice)
        // On the wire at the last moment, a whole time-out under way, and a lagging listing: all within `settle`.
        let model = ModelService(
            tables: Set(declarations.filter { $0.source == .table }.map(\.id)), time: time, dice: dice,
            longestLag: limits.settle - limits.requestTimeout * 2 - .seconds(1))
        let store = InMemoryLedgerStore()
        let misfortune = draw(dice)
        othersRun(declarations, model, dice, .history, count: dice.roll(3))
        let trace = Lines()

        /// - Returns: whether there was nothing to do.
        @Sendable func apply(_ misfortune: Misfortune, _ staleness: Applier.Staleness) async -> Bool {
            let process = SimulatedProcess(
                store: store, model: model, time: time, dice: dice, misfortune: misfortune, limits: limits)
            let ledger = MortalLedger(process: process)
            guard let plan = try? await plan(declarations, ledger, asOf: time.now()) else { return false }
            if plan.requestCount == 0, plan.flows.allSatisfy(\.held.isEmpty) { return true }
            if tracing { trace.add("\(time.now()) process \(process.number) plans \(plan.requestCount)") }
            let applier = Applier(
                ledger: ledger, service: UnreliableService(process: process), limits: limits, time: time,
                chance: { dice.chance() },
                report: { event in
                    if tracing { trace.add("\(time.now()) process \(process.number) \(event)") }
                })
            _ = await applier.apply(plan, staleness: staleness)
            return false
        }

        let rivals = 1 + dice.roll(3)
        let violations = Lines()
        let finished = SimulationExecutor().run(time: time, dice: dice) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<rivals {
                    group.addTask {
                        for _ in 0..<(1 + dice.roll(3)) {
                            await time.sleep(dice.roll(upTo: .seconds(60)))
                            if dice.happens(0.2) { othersRun(declarations, model, dice, .others, count: 1) }
                            _ = await apply(misfortune, dice.happens(0.5) ? .refuse : .reduce)
                        }
                    }
                }
            }
            // Whoever was frozen has woken and ended by now. Heal: without misfortune everything must come to its end.
            var isNothingLeft = false
            for _ in 0..<6 where !isNothingLeft {
                isNothingLeft = await apply(Misfortune(), .reduce)
                await time.sleep(.seconds(60))
            }
            if !isNothingLeft { violations.add("an apply without misfortune leaves something to do") }
            await time.sleep(limits.settle)
            if let ledger = try? await audit(InMemoryLedger(store: store), declarations, model, now: time.now()) {
                ledger.forEach(violations.add)
            }
        }
        return Result(
            violations: model.violations + violations.all + (finished ? [] : ["the simulation hangs"]),
            trace: tracing ? (trace.all + model.runs.map { "\($0)" }) : [])
    }

    // MARK: The world

    private func declare(_ dice: Dice) -> [FlowDeclaration] {
        (0..<(1 + dice.roll(3))).map { number in
            let place = Place(file: "simulated.yaml", line: number + 1, column: 1)
            let source: SourceKind = dice.happens(0.6) ? .table : .file
            let windows = (0..<(1 + dice.roll(5))).map { index in
                DeclaredWindow(
                    window: Window(startSeconds: Int64(index) * 3600, endSeconds: Int64(index + 1) * 3600)!, line: 1,
                    column: 1)
            }
            return FlowDeclaration(
                id: FlowID("00000000-0000-4000-8000-00000000000\(number)")!, manifest: "simulated", target: "model",
                source: source,
                deltaColumn: source == .table
                    ? DeclaredColumn(column: DeltaColumn(name: "DOB"), place: place) : nil,
                windows: windows, place: place)
        }
    }

    private func drawLimits(_ dice: Dice) -> Limits {
        var limits = Limits()
        limits.requestsPerSecond = 1000
        limits.parallelFlows = 1 + dice.roll(3)
        return limits
    }

    private func draw(_ dice: Dice) -> Misfortune {
        func some(_ probability: Double, _ atMost: Double) -> Double {
            dice.happens(probability) ? dice.chance() * atMost : 0
        }
        return Misfortune(
            crash: some(0.6, 0.05), freeze: some(0.4, 0.03), lockLoss: some(0.5, 1), refusedConnection: some(0.3, 0.3),
            lostAnswer: some(0.5, 0.4), errorBefore: some(0.4, 0.3), errorAfter: some(0.4, 0.3),
            throttle: some(0.3, 0.3), unauthorized: some(0.2, 0.1), refusal: some(0.2, 0.1),
            failedListing: some(0.3, 0.3), slowness: dice.happens(0.5) ? .zero : dice.roll(upTo: .seconds(4)))
    }

    /// Other people ask for runs of windows that no manifest declares.
    private func othersRun(
        _ declarations: [FlowDeclaration], _ model: ModelService, _ dice: Dice, _ maker: ModelService.Maker, count: Int
    ) {
        for _ in 0..<count {
            let declaration = declarations[dice.roll(declarations.count)]
            let start = -7200 * (1 + dice.roll(0...50))
            _ = model.take(
                declaration.id, Window(startSeconds: start, endSeconds: start + 3600)!, declaration.deltaColumn?.column,
                by: maker)
        }
    }

    private func plan(
        _ declarations: [FlowDeclaration], _ ledger: MortalLedger, asOf: Timestamp
    ) async throws -> Plan {
        var flows: [FlowPlan] = []
        for declaration in declarations {
            let record = try await ledger.record(of: declaration.id)
            let runs = try await ledger.runs(of: declaration.id)
            flows.append(Planner(asOf: asOf).plan(declaration, record: record, runs: runs))
        }
        let target = Target(
            name: "model", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "model"),
            place: Place(file: "simulated.yaml", line: 1, column: 1))
        return Plan(asOf: asOf, target: target, manifests: [], flows: flows)
    }

    // MARK: What must hold in the end

    private func audit(
        _ ledger: InMemoryLedger, _ declarations: [FlowDeclaration], _ model: ModelService, now: Timestamp
    ) async throws -> [String] {
        var violations: [String] = []
        let entries = try ledger.entries(of: nil)
        let recorded = Set(entries.compactMap(\.run.id))
        for run in model.runs where run.maker == .applier && !recorded.contains(run.id) {
            violations.append("\(run.id) was taken and is missing from the ledger")
        }
        for declaration in declarations {
            for window in declaration.windows.map(\.window) {
                let taken = model.runs.filter {
                    $0.maker == .applier && $0.flow == declaration.id && $0.window == window
                }.count
                if taken != 1 { violations.append("[\(window.start), \(window.end)) was taken \(taken) times") }
            }
        }
        for declaration in declarations where declaration.source == .table {
            let ranBefore = model.runs.contains { $0.flow == declaration.id && $0.maker == .history }
            if ranBefore, try ledger.record(of: declaration.id).deltaColumn != declaration.deltaColumn?.column {
                violations.append("the column that \(declaration.id) had before first contact is not recorded")
            }
        }
        violations += LedgerVerification.faults(flows: try ledger.flows(), entries: entries, now: now)
        for entry in entries where entry.run.state.isDoubtful { violations.append("a doubt remains") }
        return violations
    }
}

/// Lines that several tasks write.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
