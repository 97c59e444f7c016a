import FlowRuns
import Manifests
import Testing
import Text

@testable import Planner

@Suite("Flows that come after others")
struct PredecessorTests {
    /// Creates a flow that others come after, with these windows and runs.
    private static func predecessor(_ windows: [Range<Int64>], _ runs: [RecordedRun] = []) -> Predecessor {
        let flow = SampleFlow(windows: windows, runs: runs)
        return Predecessor(flow.declaration, flow.plan, runs: runs)
    }

    private func reasons(_ windows: [Range<Int64>], after predecessor: Predecessor) -> [String] {
        SampleFlow(windows: windows, predecessors: [predecessor]).plan.held.map(\.reason)
    }

    @Test("a window is requested once succeeded runs cover all of it")
    func covered() {
        let runs = [
            RecordedRun(0..<10, .succeeded), RecordedRun(10..<20, .succeeded), RecordedRun(30..<40, .succeeded),
        ]
        let after = Self.predecessor([0..<10, 10..<20, 30..<40], runs)
        let flow = SampleFlow(windows: [0..<20, 15..<18, 20..<30, 35..<41], predecessors: [after])
        #expect(flow.plan.ranges == [0..<20])
        #expect(flow.plan.codes == [.windowOverlapsDeclared])
        var other = flow
        other.windows = [5..<15, 20..<30, 35..<41]
        #expect(other.plan.ranges == [5..<15])
        #expect(other.plan.held.map(\.window.range) == [20..<30, 35..<41])
        #expect(other.plan.held.allSatisfy { $0.cause == .waiting && $0.cause.isPostponed })
        #expect((other.plan.counts[.waiting], other.plan.counts[.held]) == (2, 0))
    }

    @Test("a run whose window only the manifest gives counts for the flows after its own")
    func acknowledgedWindow() {
        for (state, isWaiting) in [(RunState.succeeded, false), (.accepted, true), (.failed, true)] {
            var flow = SampleFlow(windows: [0..<10], runs: [RecordedRun(nil, state, id: "x")])
            flow.acknowledged = [
                Acknowledgement(run: RunID("x")!, reason: "by hand", window: Window(0..<10), place: SampleFlow.place)
            ]
            let after = Predecessor(flow.declaration, flow.plan, runs: flow.runs)
            #expect(reasons([0..<10], after: after).isEmpty == !isWaiting, "\(state)")
        }
    }

    @Test("the reason for waiting is shown")
    func obstacles() {
        let runs = [
            RecordedRun(0..<10, .accepted), RecordedRun(10..<20, .failed), RecordedRun(20..<30, .partial),
            RecordedRun(30..<40, .rejected), RecordedRun(50..<60, .succeeded), RecordedRun(60..<70, .inDoubt),
        ]
        let after = Self.predecessor([0..<10, 10..<20, 20..<30, 30..<40, 50..<60, 60..<70], runs)
        let notEnded =
            "waits for contacts, 2 of whose runs have not ended; the oldest is run 0--1, made at 1970-01-01T00:01:40Z"
        #expect(
            reasons([0..<10, 10..<20, 20..<30, 30..<40, 40..<50, 50..<60, 60..<70], after: after) == [
                notEnded, "waits for contacts, whose run has not succeeded",
                "waits for contacts, whose run has not succeeded", "waits for contacts, which is not requested yet",
                "waits for contacts, which has no due window there", notEnded,
            ])
    }

    @Test("a succeeded retry counts like a first run, and a declared rerun must succeed too")
    func retriesAndReruns() {
        let runs = [RecordedRun(0..<10, .failed), RecordedRun(0..<10, .succeeded, attempt: 2)]
        #expect(reasons([0..<10], after: Self.predecessor([0..<10], runs)) == [])
        var flow = SampleFlow(windows: [0..<10], reruns: [Rerun(0..<10, "fix")], runs: runs)
        #expect(
            reasons([0..<10], after: Predecessor(flow.declaration, flow.plan, runs: runs)) == [
                "waits for contacts, which is not requested yet"
            ])
        flow.runs += [RecordedRun(0..<10, .accepted, rerun: "fix")]
        #expect(
            reasons([0..<10], after: Predecessor(flow.declaration, flow.plan, runs: flow.runs)) == [
                "waits for contacts, whose run 0-fix-1, made at 1970-01-01T00:01:40Z, has not ended"
            ])
    }

    @Test("acknowledging a run that never reports its end ends the wait")
    func neverEnding() {
        let runs = [RecordedRun(0..<10, .accepted), RecordedRun(10..<20, .accepted)]
        let stuck = Acknowledgement(run: runs[0].id!, reason: "it succeeded", place: SampleFlow.place)
        let flow = SampleFlow(windows: [0..<10, 10..<20], acknowledged: [stuck], runs: runs)
        let after = Predecessor(flow.declaration, flow.plan, runs: runs)
        #expect(
            reasons([0..<10, 10..<20], after: after) == [
                "waits for contacts, whose run 10--1, made at 1970-01-01T00:01:40Z, has not ended"
            ])
    }

    @Test("an acknowledged run of a known window counts")
    func acknowledged() {
        let run = RecordedRun(
            identity: RunIdentity(flow: SampleFlow.id, window: Window(0..<10)), state: .succeeded, origin: .service,
            id: RunID("theirs"), recordedAt: Timestamp(seconds: 100))
        let known = Acknowledgement(run: RunID("theirs")!, reason: "a test", place: SampleFlow.place)
        let flow = SampleFlow(windows: [0..<10], acknowledged: [known], runs: [run])
        #expect(reasons([0..<10], after: Predecessor(flow.declaration, flow.plan, runs: [run])).isEmpty)
    }

    @Test("the delta column goes with the first request that does not wait, and a rerun waits with its window")
    func firstRequest() {
        let after = Self.predecessor([10..<20], [RecordedRun(10..<20, .succeeded)])
        let flow = SampleFlow(
            source: .table, column: DeltaColumn(name: "DOB"), windows: [0..<10, 10..<20],
            reruns: [Rerun(0..<10, "a"), Rerun(0..<20, isRange: true, "b", line: 202)], predecessors: [after])
        let plan = flow.plan
        #expect(plan.codes == [])
        #expect(plan.actions.map(\.deltaColumn?.name) == ["DOB", nil])
        #expect(plan.actions.map(\.rerun) == [nil, "b"])
        #expect(plan.held.map(\.window.range) == [0..<10, 0..<10, 0..<10])
    }

    @Test("waiting windows are not joined into batches")
    func batches() {
        let after = Self.predecessor([0..<20], [RecordedRun(0..<20, .succeeded)])
        let flow = SampleFlow(
            series: [Series(every: 10, 0..<40)], batch: .fixed(.seconds(40)), predecessors: [after])
        #expect(flow.plan.ranges == [0..<20])
        #expect(flow.plan.held.map(\.window.range) == [20..<30, 30..<40])
    }

    @Test("a paused flow is shown as paused even if it also waits")
    func paused() {
        let pause = Pause(reason: "migration", place: SampleFlow.place)
        let flow = SampleFlow(windows: [0..<10], pauses: [pause], predecessors: [Self.predecessor([0..<10])])
        #expect(flow.plan.held.map(\.cause) == [.paused])
    }

    @Test("with random runs, exactly the windows fully covered by succeeded runs are requested")
    func random() {
        let states: [RunState] = [
            .succeeded, .succeeded, .succeeded, .accepted, .failed, .partial, .rejected, .inDoubt,
        ]
        for seed in 0..<1000 {
            var generator = SeededGenerator(seed: UInt64(seed))
            func range() -> Range<Int64> {
                let start = Int64.random(in: 0...30, using: &generator)
                return start..<start + Int64.random(in: 1...10, using: &generator)
            }
            let declared = (0..<Int.random(in: 0...4, using: &generator)).map { _ in range() }
            let runs = (0..<Int.random(in: 0...12, using: &generator)).map { index in
                RecordedRun(range(), states.randomElement(using: &generator)!, id: "run-\(index)")
            }
            let other = SampleFlow(overlap: .allow, windows: declared, runs: runs)
            let missing = other.plan
            let after = Predecessor(other.declaration, missing, runs: runs)
            let open = Set((missing.actions.map(\.window) + missing.held.map(\.window)).flatMap(\.range))
                .union(runs.filter { $0.state == .accepted || $0.state.isDoubtful }.flatMap { $0.window!.range })
            let succeeded = Set(runs.filter { $0.state == .succeeded }.flatMap { $0.window!.range })
            for window in (0..<30).map({ _ in range() }) {
                let isReady = open.isDisjoint(with: window) && succeeded.isSuperset(of: window)
                #expect((after.blockingReason(to: Window(window)) == nil) == isReady, "seed \(seed), \(window)")
            }
        }
    }
}
