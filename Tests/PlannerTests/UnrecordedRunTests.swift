import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Unrecorded runs")
struct UnrecordedRunTests {
    /// Creates a run found on the service, of the window `[0, 10)`.
    private func found(
        _ attempt: Int, _ state: RunState = .succeeded, id: String, at seconds: Int64
    ) -> RecordedRun {
        RecordedRun(
            identity: RunIdentity(flow: SampleFlow.id, window: Window(0..<10), attempt: attempt), state: state,
            origin: .service, id: RunID(id), recordedAt: Timestamp(seconds: seconds))
    }

    private func plan(
        _ runs: [RecordedRun], reruns: [Rerun] = [], retryFailed: Int = 0, acknowledged: [Acknowledgement] = []
    ) -> FlowPlan {
        var flow = SampleFlow()
        flow.windows = [0..<10]
        flow.reruns = reruns
        flow.retryFailed = retryFailed
        flow.acknowledged = acknowledged
        flow.runs = runs
        return flow.plan
    }

    @Test("the oldest run is the window's own; the next ones are its reruns in declaration order")
    func counted() {
        let reruns = [Rerun(0..<10, "z-first", line: 201), Rerun(0..<10, "a-second", line: 202)]
        let runs = [found(1, id: "later", at: 200), found(2, id: "earlier", at: 100)]
        let plan = plan(runs, reruns: reruns)
        #expect(plan.actions.map(\.rerun) == ["a-second"])
        let taken = plan.diagnostics.filter { $0.code == .runTakenForRerun }
        #expect(taken.count == 1)
        #expect(taken.first?.message.contains("run later") == true)
        #expect(taken.first?.message.contains("'z-first'") == true)
    }

    @Test("surplus runs are a warning with both run IDs that the window was ingested twice")
    func surplus() throws {
        let twice = plan([found(1, id: "one", at: 100), found(2, id: "two", at: 200)])
        #expect(twice.actions.isEmpty)
        let warning = try #require(twice.diagnostics.first { $0.code == .windowRunTwice })
        #expect(warning.severity == .warning)
        #expect(warning.message.contains("run one") && warning.message.contains("run two"))
        let own = plan([RecordedRun(0..<10, .succeeded, id: "own"), found(2, id: "two", at: 200)])
        #expect(own.codes == [.windowRunTwice])
    }

    @Test("a failed run uses up an attempt", arguments: [(0, 0), (1, 1), (2, 1)])
    func failed(retryFailed: Int, requests: Int) {
        let plan = plan([found(1, .failed, id: "f", at: 100)], retryFailed: retryFailed)
        #expect(plan.actions.count == requests)
        #expect(plan.failedCount == 1 - requests)
        let both = self.plan(
            [RecordedRun(0..<10, .failed, id: "own"), found(2, .failed, id: "f", at: 200)], retryFailed: retryFailed)
        #expect(both.actions.count == (retryFailed == 2 ? 1 : 0))
    }

    @Test("a run that was re-triggered by hand is not requested again")
    func retriggered() {
        let plan = plan([RecordedRun(0..<10, .failed), found(2, .accepted, id: "hand", at: 300)], retryFailed: 2)
        #expect(plan.actions.isEmpty)
        #expect(plan.recordedCount == 1)
        #expect(!plan.codes.contains(.windowRunTwice))
    }

    @Test("an acknowledged run counts for its window, be it known from the service or from the acknowledgement")
    func acknowledged() throws {
        let run = try #require(RunID("hand"))
        let other = Acknowledgement(run: run, reason: "a test", place: SampleFlow.place)
        let alone = plan([found(1, id: "hand", at: 100)], acknowledged: [other])
        #expect(alone.actions.isEmpty && alone.recordedCount == 1 && alone.diagnostics.isEmpty)
        let failed = RecordedRun(0..<10, .failed, id: "own")
        for retryFailed in 0...1 {
            let beside = plan(
                [failed, found(2, id: "hand", at: 200)], retryFailed: retryFailed, acknowledged: [other])
            #expect(beside.actions.isEmpty && beside.failedCount == 0 && beside.diagnostics.isEmpty)
        }
        let unknown = RecordedRun(
            identity: RunIdentity(flow: SampleFlow.id, window: nil), state: .succeeded, origin: .service, id: run,
            recordedAt: Timestamp(seconds: 100))
        let told = Acknowledgement(run: run, reason: "by hand", window: Window(0..<10), place: SampleFlow.place)
        let known = plan([unknown], acknowledged: [told])
        #expect(known.actions.isEmpty && known.held.isEmpty)
        #expect(known.recordedCount == 1)
    }

    @Test("an acknowledged run takes no rerun's place and is not reported as surplus")
    func acknowledgedBesideRerun() throws {
        let acknowledgement = Acknowledgement(
            run: try #require(RunID("hand")), reason: "a test", place: SampleFlow.place)
        let runs = [found(1, id: "own", at: 100), found(2, id: "hand", at: 200)]
        #expect(plan(runs, acknowledged: [acknowledgement]).diagnostics.isEmpty)
        let again = plan(runs, reruns: [Rerun(0..<10, "fix")], acknowledged: [acknowledgement])
        #expect(again.actions.map(\.rerun) == ["fix"])
        #expect(again.diagnostics.isEmpty)
    }

    @Test("a run that succeeded on the service counts even if all attempts of this ledger failed")
    func succeededAfterLastAttempt() {
        let runs = [RecordedRun(0..<10, .failed, id: "own"), found(2, id: "hand", at: 200)]
        let alone = plan(runs)
        #expect(alone.actions.isEmpty && alone.diagnostics.isEmpty)
        #expect((alone.recordedCount, alone.failedCount) == (1, 0))
        // The attempts stay within 1 + retryFailed for the window and for its rerun.
        let withRerun = plan(runs, reruns: [Rerun(0..<10, "fix")])
        #expect(withRerun.actions.isEmpty && withRerun.codes == [.runTakenForRerun])
    }

    @Test("a failed rerun is retried only as often as declared, even if its run was requested elsewhere")
    func failedRerun() {
        let rerun = Rerun(0..<10, "fix")
        let runs = [found(1, id: "own", at: 100), found(2, id: "again", at: 200), found(3, .failed, id: "f", at: 300)]
        #expect(plan(runs, reruns: [rerun]).actions.isEmpty)
        #expect(plan([runs[0], runs[2]], reruns: [rerun]).actions.isEmpty, "the failed one used up the only attempt")
        #expect(plan([runs[0], runs[2]], reruns: [rerun], retryFailed: 1).actions.map(\.rerun) == ["fix"])
    }

    @Test("an action of a series is marked as such, with or without the delta column")
    func series() {
        var flow = SampleFlow(source: .table, column: DeltaColumn(name: "DOB"))
        flow.series = [Series(every: 10, 0..<20)]
        flow.windows = [30..<40]
        #expect(flow.plan.actions.map(\.isOfSeries) == [true, true, false])
    }
}
