import FlowRuns
import Manifests
import Testing
import Text

@testable import Planner

/// Simulations of one target's flows that are applied daily until all is done, while the request settings change.
@Suite("Repeated applies")
struct LifePropertyTests {
    private struct Life {
        private var random: SeededGenerator
        private var flows: [FlowDeclaration] = []
        private var runs: [FlowID: [RecordedRun]] = [:]
        private(set) var mostInADay = 0
        private(set) var mostUnderWay = 0
        private(set) var days = 0
        let limits: Limits

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            var limits = Limits()
            if Bool.random(using: &random) { limits.runsPerDay = Int.random(in: 1...12, using: &random) }
            if Bool.random(using: &random) { limits.running = Int.random(in: 1...6, using: &random) }
            self.limits = limits
            for number in 0..<Int.random(in: 1...3, using: &random) { flows.append(declared(number)) }
        }

        private static func id(_ number: Int) -> FlowID { FlowID("00000000-0000-4000-8000-00000000000\(number)")! }

        /// Declares a flow with one minute of a series, which a dependent flow can wait for, and a few windows after
        /// it.
        private mutating func declared(_ number: Int) -> FlowDeclaration {
            let every = [1, 2, 3, 5, 6, 10, 30].randomElement(using: &random)! as Int64
            let isAfter = number > 0 && Bool.random(using: &random)
            let windows =
                isAfter ? [] : (0..<Int64.random(in: 0...3, using: &random)).map { 60 + $0 * 10..<66 + $0 * 10 }
            let after = FlowReference(text: "before", flow: Self.id(max(0, number - 1)), place: SampleFlow.place)
            return FlowDeclaration(
                id: Self.id(number), manifest: "life", target: "prod", source: .file, retries: Retries(100),
                windows: windows.map { DeclaredWindow(window: Window($0), line: 1, column: 1) },
                series: [Series(every: every, 0..<60)], after: isAfter ? [after] : [], place: SampleFlow.place)
        }

        /// Returns the flow with different request settings for one day.
        private mutating func changed(_ flow: FlowDeclaration) -> FlowDeclaration {
            let batch = Int64.random(in: 0...40, using: &random)
            return FlowDeclaration(
                id: flow.id, manifest: flow.manifest, target: flow.target, source: flow.source, retries: flow.retries,
                order: Bool.random(using: &random) ? .oldestFirst : .newestFirst,
                runsPerDay: Bool.random(using: &random) ? Int.random(in: 1...8, using: &random) : nil,
                priority: Int.random(in: -2...2, using: &random), windows: flow.windows, series: flow.series,
                batch: batch == 0 ? nil : .fixed(.seconds(batch)), after: flow.after, place: flow.place)
        }

        /// Ends some runs, plans, and requests a part of the plan. Returns whether all is done.
        mutating func liveADay() -> Bool {
            days += 1
            let now = Timestamp(seconds: 1_700_000_000 + Int64(days) * 86_400)
            endSomeRuns()
            let plan = plan(at: now)
            let isDone =
                plan.flows.allSatisfy { $0.actions.isEmpty && $0.held.isEmpty }
                && runs.values.joined().allSatisfy { $0.state != .accepted }
            let part = Double.random(in: 0.3...1, using: &random)
            for flow in plan.flows {
                let count = Int((Double(flow.actions.count) * part).rounded(.up))
                for action in flow.actions.prefix(count) { request(action, flow.id, at: now) }
            }
            mostInADay = max(mostInADay, runs.values.joined().count { $0.recordedAt >= now })
            mostUnderWay = max(mostUnderWay, runs.values.joined().count { $0.state == .accepted })
            return isDone
        }

        private mutating func plan(at now: Timestamp) -> Plan {
            let planner = Planner(asOf: now)
            var usage = RunUsage(at: now)
            var plans: [FlowID: FlowPlan] = [:]
            for flow in flows {
                let known = (runs[flow.id] ?? []).sorted(by: RecordedRun.isBefore)
                usage.add(known, of: flow.id)
                let predecessors = flows.filter { flow.predecessors.contains($0.id) }.compactMap { other in
                    plans[other.id].map { Predecessor(other, $0, runs: runs[other.id] ?? []) }
                }
                let record = FlowRecord(id: flow.id, contactedAt: now)
                plans[flow.id] = planner.plan(
                    changed(flow), record: record, runs: known, predecessors: predecessors)
            }
            let target = Target(
                name: "prod", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "l"),
                limits: limits, place: SampleFlow.place)
            return Plan(
                asOf: now, target: target, manifests: [], flows: flows.compactMap { plans[$0.id] }
            ).limited(by: usage)
        }

        private mutating func request(_ action: PlannedAction, _ flow: FlowID, at now: Timestamp) {
            runs[flow, default: []].append(
                RecordedRun(
                    identity: action.identity(in: flow), state: .accepted,
                    id: RunID("\(flow) \(runs[flow]?.count ?? 0)"),
                    recordedAt: now))
        }

        private mutating func endSomeRuns() {
            for id in runs.keys.sorted() {
                var own = runs[id] ?? []
                for index in own.indices where own[index].state == .accepted && Bool.random(using: &random) {
                    own[index].state = Int.random(in: 0..<5, using: &random) == 0 ? .failed : .succeeded
                }
                runs[id] = own
            }
        }

        /// The seconds in runs that did not fail, by flow. A failed run covers nothing: its time is requested again, in
        /// other windows if the batches have changed.
        var ingested: [FlowID: [Int64]] {
            runs.mapValues { $0.filter(\.coversWindow).compactMap(\.window).flatMap(\.range) }
        }

        /// Every declared second, by flow.
        var declared: [FlowID: [Int64]] {
            Dictionary(
                uniqueKeysWithValues: flows.map { flow in
                    (flow.id, Array(0..<60) + flow.windows.flatMap(\.window.range))
                })
        }
    }

    @Test(
        "each declared second is ingested exactly once with any order, budget, batches, failures and dependencies"
    )
    func eachSecondOnce() {
        for seed in 0..<400 {
            var life = Life(seed: UInt64(seed))
            var isDone = false
            while !isDone, life.days < 2000 { isDone = life.liveADay() }
            #expect(isDone, "seed \(seed): something is never requested")
            #expect(life.ingested.mapValues { $0.sorted() } == life.declared.mapValues { $0.sorted() }, "seed \(seed)")
            #expect(life.mostInADay <= life.limits.runsPerDay ?? .max, "seed \(seed)")
            #expect(life.mostUnderWay <= life.limits.running ?? .max, "seed \(seed)")
        }
    }
}
