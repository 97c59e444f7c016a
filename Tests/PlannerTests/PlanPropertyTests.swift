import FlowRuns
import Foundation
import Manifests
import TestSupport
import Testing
import Text

@testable import Planner

@Suite("Properties of plans over random flows")
struct PlanPropertyTests {
    /// The number of random flows of each test; `SLUICE_PROPERTY_SEEDS` raises it.
    private static let seeds =
        0..<(ProcessInfo.processInfo.environment["SLUICE_PROPERTY_SEEDS"].flatMap { UInt64($0) } ?? 500)

    private func forEachFlow(_ check: (SampleFlow, FlowPlan, inout SeededGenerator) -> Void) {
        for seed in Self.seeds {
            var generator = SeededGenerator(seed: seed)
            let flow = SampleFlow.random(&generator)
            check(flow, flow.plan, &generator)
        }
    }

    @Test("the planner agrees with the naive reference implementation")
    func agreesWithNaivePlan() {
        forEachFlow { flow, plan, _ in
            let naive = NaivePlan(flow)
            let requests = plan.actions.map {
                NaivePlan.Request(kind: $0.kind, window: $0.window, rerun: $0.rerun, attempt: $0.attempt)
            }
            #expect(requests.count == naive.requests.count && Set(requests) == naive.requests, "\(flow)")
            #expect(plan.held.map(\.window) == naive.held.sorted(), "\(flow)")
            #expect(plan.recordedCount == naive.recordedCount, "\(flow)")
            #expect(plan.failedCount == naive.failedCount, "\(flow)")
            #expect(Set(plan.undeclared) == naive.undeclared, "\(flow)")
            let faults: [DiagnosticCode: Int] = [
                .windowOverlapsRecorded: naive.overlapsRecorded, .windowOverlapsDeclared: naive.overlapsDeclared,
                .windowDeclaredTwice: naive.declaredTwice, .rerunOfNothing: naive.rerunsOfNothing,
                .windowsIngestedTwice: naive.ingestedTwice,
            ]
            for (code, count) in faults {
                // A diagnostic about several windows begins with their number.
                let told = plan.diagnostics.filter { $0.code == code }.map { diagnostic in
                    Int(diagnostic.message.prefix { $0 != " " }) ?? 1
                }
                #expect(told.reduce(0, +) == count, "\(flow)")
            }
        }
    }

    @Test("the plan is the same for any partition of the recorded runs into chunks")
    func parts() {
        forEachFlow { flow, plan, generator in
            var planning = FlowPass(flow.declaration, replaced: flow.replaced, asOf: flow.asOf)
            var rest = flow.runs.sorted(by: RecordedRun.isBefore)[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...3, using: &generator)
                planning.consume(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(planning.plan(record: flow.record) == plan, "\(flow)")
        }
    }

    @Test("after a plan is applied wholly or in part, only the remaining requests are planned again")
    func appliedPlans() {
        forEachFlow { flow, plan, generator in
            guard flow.canBeApplied(plan) else { return }
            let sent = Int.random(in: 0...plan.actions.count, using: &generator)
            for count in [sent, plan.actions.count] {
                var after = flow
                after.runs += plan.actions.prefix(count).map(\.applied)
                let left = after.plan.actions.map { $0.identity(in: SampleFlow.id) }
                #expect(left == plan.actions.dropFirst(count).map { $0.identity(in: SampleFlow.id) }, "\(flow)")
            }
        }
    }

    @Test("planning what was approved, wholly or in part, returns exactly what was approved")
    func approvedPlans() {
        forEachFlow { flow, plan, generator in
            guard flow.canBeApplied(plan) else { return }
            var flow = flow
            let limit = Int64.random(in: 0...20, using: &generator)
            flow.batch = limit == 0 || flow.overlap == .allow ? nil : .fixed(.seconds(limit))
            var approved = flow.plan
            guard !approved.diagnostics.hasErrors else { return }
            let count = Int.random(in: 0...approved.actions.count, using: &generator)
            if Bool.random(using: &generator) { approved.actions = PlannedActions(approved.actions.prefix(count)) }
            let remainder = Planner(asOf: flow.asOf).remainder(
                of: approved, record: flow.record, runs: flow.runs.sorted(by: RecordedRun.isBefore),
                replaced: flow.replaced)
            // A flow that is held is applied when that is resolved.
            if case .held = remainder { return }
            guard case .missing(let actions, _, false) = remainder else {
                Issue.record("\(remainder): \(flow)")
                return
            }
            #expect(
                actions.map { $0.identity(in: SampleFlow.id) }
                    == approved.actions.map { $0.identity(in: SampleFlow.id) }, "\(flow)")
        }
    }

    @Test("once all doubts are settled and all requests accepted, nothing is left and nothing was requested twice")
    func resolvedDoubts() {
        forEachFlow { flow, _, generator in
            var after = flow
            after.runs = flow.runs.map {
                guard $0.state.isDoubtful else { return $0 }
                var run = $0
                run.state = Bool.random(using: &generator) ? .accepted : .released
                return run
            }
            after.acknowledged = flow.runs.filter { $0.window == nil }.map {
                Acknowledgement(run: $0.id!, reason: "known", place: SampleFlow.place)
            }
            let plan = after.plan
            guard flow.canBeApplied(plan) else { return }
            after.runs += plan.actions.map(\.applied)
            #expect(after.plan.actions.isEmpty, "\(flow)")
            #expect(after.plan.held == plan.held, "\(flow)")
            #expect(Set(after.runs.map(\.identity)).count == after.runs.count, "\(flow)")
        }
    }

    @Test("a run that fails is requested again only as often as allowed, and only where no other run covers its time")
    func failures() {
        forEachFlow { flow, plan, generator in
            guard !plan.diagnostics.hasErrors, plan.held.isEmpty else { return }
            var after = flow
            if flow.overlap != .allow, Bool.random(using: &generator) {
                after.batch = .fixed(.seconds(Int64.random(in: 1...20, using: &generator)))
            }
            let states: [RunState] = [.succeeded, .accepted, .partial, .failed, .failed]
            for round in 0..<100 {
                let plan = after.plan
                #expect(!plan.diagnostics.hasErrors, "\(flow)")
                guard let action = plan.actions.randomElement(using: &generator) else { break }
                #expect(round < 99, "\(flow)")
                let covered = after.runs.filter(\.coversWindow).compactMap(\.window)
                if after.overlap != .allow, action.rerun == nil, !covered.contains(action.window) {
                    #expect(!covered.contains(where: action.window.overlaps), "\(flow)")
                }
                after.runs.append(action.applied(states.randomElement(using: &generator) ?? .failed))
                let key = action.key(in: SampleFlow.id)
                let attempts = after.runs.filter { $0.identity.key == key && $0.state.isAccepted }
                #expect(attempts.count <= 1 + flow.retryFailed, "\(flow)")
            }
        }
    }

    @Test("no run is requested twice, requests are in window order, and new ones overlap nothing")
    func requests() {
        forEachFlow { flow, plan, _ in
            let identities = plan.actions.map { $0.identity(in: SampleFlow.id) }
            #expect(Set(identities).isDisjoint(with: flow.runs.map(\.identity)), "\(flow)")
            #expect(Set(identities).count == identities.count, "\(flow)")
            let windows = plan.actions.map(\.window)
            let sorted = windows.sorted()
            #expect(windows == (flow.order == .oldestFirst ? sorted : sorted.reversed()), "\(flow)")
            for (index, action) in plan.actions.enumerated() where action.kind == .rerun {
                let later = plan.actions[index...].dropFirst()
                #expect(!later.contains { $0.window == action.window && $0.kind == .create }, "\(flow)")
            }
            guard flow.overlap != .allow else { return }
            let created = plan.actions.filter { $0.kind == .create }.map(\.window).sorted()
            for (window, next) in zip(created, created.dropFirst()) { #expect(window.end <= next.start, "\(flow)") }
            let taken = flow.runs.filter(\.coversWindow).compactMap(\.window)
            #expect(!created.contains { window in taken.contains(where: window.overlaps) }, "\(flow)")
        }
    }

    @Test("only the first request may carry the delta column, and does so exactly if no run was accepted before")
    func deltaColumn() {
        forEachFlow { flow, plan, _ in
            #expect(plan.actions.dropFirst().allSatisfy { $0.deltaColumn == nil }, "\(flow)")
            guard let first = plan.actions.first else { return }
            let isFirstRun = flow.source == .table && !flow.runs.contains(where: \.state.isAccepted)
            #expect((first.deltaColumn != nil) == (isFirstRun && flow.column != nil), "\(flow)")
            #expect(plan.codes.contains(.deltaColumnMissing) == (isFirstRun && flow.column == nil), "\(flow)")
        }
    }

    @Test("runs of a replaced flow count like the flow's own")
    func replaced() {
        let id = SampleFlow.replacedID
        forEachFlow { flow, _, generator in
            let own = Set(flow.runs.compactMap(\.window))
            let windows = NaivePlan.desired(of: flow).filter { !own.contains($0) }
            let states: [RunState] = [.succeeded, .accepted, .partial]
            var (replaced, recorded) = (flow, flow)
            // A partial run of a replaced flow cannot be retried there, so it counts as recorded.
            (replaced.retriedStates, recorded.retriedStates) = ([.failed], [.failed])
            for window in Set(windows).sorted() where Bool.random(using: &generator) {
                let state = states.randomElement(using: &generator) ?? .succeeded
                replaced.replacedRuns.append(RecordedRun(window.range, state, id: "old-\(window)", of: id))
                recorded.runs.append(RecordedRun(window.range, state, id: "old-\(window)"))
            }
            let (plan, expected) = (replaced.plan, recorded.plan)
            // Ignores the delta column and the attempts of retries, which depend on the flow that made the run.
            #expect(
                plan.actions.map { $0.key(in: id) } == expected.actions.map { $0.key(in: id) }, "\(flow)")
            #expect(plan.held.map(\.window) == expected.held.map(\.window), "\(flow)")
            #expect(plan.recordedCount == expected.recordedCount, "\(flow)")
            #expect(plan.undeclared == expected.undeclared, "\(flow)")
        }
    }

    @Test("a ledger that is rebuilt from the service leads to the same requests")
    func rebuiltLedger() {
        forEachFlow { flow, plan, _ in
            // Which runs were reruns, and how often the service refused a request, is lost with the ledger.
            let isRebuildable = flow.runs.allSatisfy { !$0.state.isDoubtful && $0.failure == nil }
            guard flow.reruns.isEmpty, isRebuildable else { return }
            var rebuilt = flow
            rebuilt.runs = flow.runs.filter { !$0.state.isVoid }.map { run in
                RecordedRun(
                    identity: run.identity, state: run.state, origin: .service, id: run.id, recordedAt: run.recordedAt,
                    records: run.records)
            }
            let other = rebuilt.plan
            #expect(other.actions.map(\.window) == plan.actions.map(\.window), "\(flow)")
            #expect(other.actions.map(\.kind) == plan.actions.map(\.kind), "\(flow)")
            #expect(other.recordedCount == plan.recordedCount, "\(flow)")
            #expect(other.diagnostics.hasErrors == plan.diagnostics.hasErrors, "\(flow)")
        }
    }

    @Test("batches request the same time in fewer runs, none longer than the batch length")
    func batches() {
        forEachFlow { flow, plan, generator in
            // Held windows include reruns, which are longer for a batch. A batch that failed is retried as it was cut.
            let desired = Set(NaivePlan.desired(of: flow))
            let isCut = flow.runs.contains { $0.state == .failed && !($0.window.map(desired.contains) ?? true) }
            guard flow.overlap != .allow, plan.held.isEmpty, !isCut else { return }
            var batched = flow
            let limit = Duration.seconds(Int64.random(in: 1...20, using: &generator))
            batched.batch = .fixed(limit)
            let batchedPlan = batched.plan
            func seconds(_ plan: FlowPlan) -> [Int64] {
                plan.actions.filter { $0.kind == .create }.map(\.window).flatMap(\.range).sorted()
            }
            #expect(seconds(batchedPlan) == seconds(plan), "\(flow)")
            #expect(batchedPlan.actions.count <= plan.actions.count, "\(flow)")
            #expect(batchedPlan.recordedCount == plan.recordedCount, "\(flow)")
            for action in batchedPlan.actions where !action.members.isEmpty {
                #expect(action.window.length <= limit, "\(flow)")
                let members = action.members.flatMap { $0.map(\.self) }
                #expect(members.count > 1 && members.count == action.windowCount, "\(flow)")
                #expect(zip(members, members.dropFirst()).allSatisfy { $0.end == $1.start }, "\(flow)")
                #expect(members.first?.start == action.window.start && members.last?.end == action.window.end)
            }
        }
    }

    @Test("each declared second is requested once with any order, any batches and any number of requests per apply")
    func eachSecondOnce() {
        forEachFlow { flow, plan, generator in
            guard flow.overlap != .allow, plan.held.isEmpty, !plan.diagnostics.hasErrors else { return }
            var after = flow
            var requested: [Int64] = []
            for _ in 0..<60 {
                after.order = Bool.random(using: &generator) ? .oldestFirst : .newestFirst
                let limit = Int64.random(in: 0...20, using: &generator)
                after.batch = limit == 0 ? nil : .fixed(.seconds(limit))
                let plan = after.plan
                #expect(!plan.diagnostics.hasErrors, "\(flow)")
                if plan.actions.isEmpty { break }
                let sent = plan.actions.prefix(Int.random(in: 1...plan.actions.count, using: &generator))
                // A retry of a run that did not fail ingests its window again, as declared.
                let covered = Set(after.runs.filter(\.coversWindow).compactMap(\.window))
                requested += sent.filter { $0.rerun == nil && !covered.contains($0.window) }.flatMap(\.window.range)
                after.runs += sent.map(\.applied)
            }
            let taken = Set(flow.runs.filter(\.coversWindow).compactMap(\.window).flatMap(\.range))
            let failed = Set(flow.runs.filter { $0.state == .failed }.compactMap(\.window).flatMap(\.range))
            let missing = Set(NaivePlan.desired(of: flow).flatMap(\.range)).subtracting(taken)
            let once = Set(requested)
            #expect(requested.count == once.count && once.isSubset(of: missing), "\(flow)")
            // What is never requested failed as often as allowed.
            #expect(missing.subtracting(once).isSubset(of: failed), "\(flow)")
        }
    }

    @Test("a pause holds exactly the windows that would be requested")
    func pauses() {
        forEachFlow { flow, plan, _ in
            var paused = flow
            paused.pauses = [Pause(reason: "migration", place: SampleFlow.place)]
            let pausedPlan = paused.plan
            #expect(pausedPlan.actions.isEmpty, "\(flow)")
            #expect(
                pausedPlan.held.map(\.window) == (plan.held.map(\.window) + plan.actions.map(\.window)).sorted(),
                "\(flow)")
            #expect(pausedPlan.diagnostics == plan.diagnostics, "\(flow)")
        }
    }

    @Test("the order of declarations does not matter")
    func order() {
        forEachFlow { flow, plan, generator in
            let declaration = flow.declaration
            let shuffled = FlowDeclaration(
                id: declaration.id, name: declaration.name, manifest: declaration.manifest,
                owner: declaration.owner, target: declaration.target, source: declaration.source,
                deltaColumn: declaration.deltaColumn, overlap: declaration.overlap,
                retries: declaration.retries, order: declaration.order,
                windows: declaration.windows.shuffled(using: &generator),
                series: declaration.series.shuffled(using: &generator), batch: declaration.batch,
                reruns: declaration.reruns.shuffled(using: &generator), acknowledged: declaration.acknowledged,
                place: declaration.place)
            let runs = flow.runs.sorted(by: RecordedRun.isBefore)
            #expect(Planner(asOf: flow.asOf).plan(shuffled, record: flow.record, runs: runs) == plan, "\(flow)")
        }
    }
}

extension PlannedAction {
    /// The run that the service creates for this action.
    fileprivate var applied: RecordedRun { applied(.accepted) }

    fileprivate func applied(_ state: RunState) -> RecordedRun {
        RecordedRun(
            identity: identity(in: SampleFlow.id), state: state,
            id: RunID("new-\(window)-\(rerun ?? "")-\(attempt)"), deltaColumn: deltaColumn,
            recordedAt: Timestamp(milliseconds: 900_000))
    }
}

extension SampleFlow {
    /// Returns whether the properties of applied plans hold for `plan`. Plans with errors are never applied, but most
    /// have these properties too.
    fileprivate func canBeApplied(_ plan: FlowPlan) -> Bool {
        !plan.diagnostics.hasErrors || order == .oldestFirst && !reruns.contains(where: \.isRange)
    }

    /// Creates a flow within a minute of time, so crowded that windows overlap in all ways.
    fileprivate static func random(_ generator: inout SeededGenerator) -> SampleFlow {
        func number(_ range: ClosedRange<Int64>) -> Int64 { .random(in: range, using: &generator) }
        func chance(_ oneIn: Int64) -> Bool { number(1...oneIn) == 1 }
        func range() -> Range<Int64> {
            let start = number(0...50)
            return start..<start + number(1...10)
        }
        var flow = SampleFlow(source: chance(2) ? .table : .file)
        if flow.source == .table, !chance(8) { flow.column = DeltaColumn(name: "DOB") }
        flow.overlap = [.error, .trim, .allow][Int(number(0...2))]
        flow.retryFailed = Int(number(0...2))
        if chance(3) { flow.retriedStates = Set(Retries.State.allCases.filter { _ in chance(2) }) }
        if chance(3) { flow.order = .newestFirst }
        flow.windows = (0..<number(0...7)).map { _ in range() }
        flow.series = (0..<number(0...2)).map { index in
            let from = number(0...40)
            return Series(every: number(1...9), from..<from + number(1...30), line: 301 + Int(index))
        }
        if flow.series.count == 2, chance(3), let first = flow.series.first {
            flow.series[1] = Series(every: 3, first.from.seconds..<first.from.seconds + 9, line: 302)
            flow.series[0] = Series(every: 3, first.from.seconds..<first.from.seconds + 6, line: 301)
        }
        if chance(4) { flow.record.contactedAt = nil }

        let declared = NaivePlan.desired(of: flow).map(\.range)
        func likelyRange() -> Range<Int64> {
            chance(2) ? declared.randomElement(using: &generator) ?? range() : range()
        }
        flow.reruns = (0..<number(0...2)).map {
            Rerun(likelyRange(), isRange: chance(3), "fix-\($0)", line: 201 + Int($0))
        }
        let states: [RunState] = [.succeeded, .succeeded, .accepted, .partial, .failed, .failed, .rejected, .released]
        var next: [[String]: Int] = [:]
        for _ in 0..<number(0...6) {
            let rerun = chance(4) ? flow.reruns.randomElement(using: &generator) : nil
            let window = rerun?.window.range ?? likelyRange()
            let state = chance(15) ? (chance(2) ? RunState.intended : .inDoubt) : states[Int(number(0...7))]
            for _ in 0..<number(1...2) {
                let attempt = next[["\(window)", rerun?.id ?? ""], default: 0] + 1
                next[["\(window)", rerun?.id ?? ""]] = attempt
                let id = "\(window)-\(rerun?.id ?? "")-\(attempt)"
                flow.runs.append(
                    RecordedRun(
                        window, state, rerun: rerun?.id, attempt: attempt, id: id, at: number(1...500),
                        failure: state == .rejected && chance(3) ? RunAnswerReason.knownRun + id : nil,
                        records: chance(3) ? 0 : nil))
            }
        }
        // The ends of requests that follow from the declarations, such as pieces that 'trim' leaves.
        if chance(2) {
            let plan = flow.plan
            for action in plan.actions where flow.canBeApplied(plan) && chance(2) {
                flow.runs.append(action.applied(states[Int(number(0...5))]))
            }
        }
        if chance(12) {
            flow.runs.append(RecordedRun(nil, .succeeded, id: "hidden"))
            if chance(2) {
                flow.acknowledged = [Acknowledgement(run: RunID("hidden")!, reason: "by hand", place: Self.place)]
            }
        }
        return flow
    }
}
