import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Retries")
struct RetryTests {
    private func plan(_ states: Set<Retries.State>, times: Int = 2, _ runs: [RecordedRun]) -> FlowPlan {
        SampleFlow(retryFailed: times, retriedStates: states, windows: [0..<10], runs: runs).plan
    }

    private let empty = RecordedRun(0..<10, .succeeded, records: 0)
    private let partial = RecordedRun(0..<10, .partial, failure: "MAPPER-3700", records: 90)
    private let failed = RecordedRun(0..<10, .failed)

    @Test("only the end states named in the manifest are retried")
    func states() {
        let ends: [(Retries.State, RecordedRun)] = [(.empty, empty), (.partial, partial), (.failed, failed)]
        for (state, run) in ends {
            for (other, _) in ends {
                #expect(plan([other], [run]).actions.count == (state == other ? 1 : 0), "\(state), \(other)")
            }
        }
        #expect(plan([.empty], [RecordedRun(0..<10, .succeeded, records: 1)]).actions.isEmpty)
        #expect(plan([.empty], [RecordedRun(0..<10, .succeeded)]).actions.isEmpty, "the number of records is unknown")
    }

    @Test("a failed or empty run is re-triggered; the window of a partial run is requested as a new run")
    func means() {
        let again = plan([.empty], [empty]).actions.first
        #expect(again?.kind == .retry(of: RunID("0--1")!))
        #expect(again?.reason == "its run 0--1 brought no records; retry 1 of 2")
        let new = plan([.partial], [partial]).actions.first
        #expect(new?.kind == .retry(of: RunID("0--1")!, asNewRun: true))
        #expect(new?.kind.retriggered == nil)
        #expect(new?.reason == "its run 0--1 is partial: MAPPER-3700; retry 1 of 2")
        #expect(new?.attempt == 2)
    }

    @Test("when no retry is left, a partial or empty window counts as recorded, a failed one as failed")
    func exhausted() {
        let second = RecordedRun(0..<10, .succeeded, attempt: 2, records: 0)
        let spent = plan([.empty], times: 1, [empty, second])
        #expect(spent.actions.isEmpty && spent.recordedCount == 1 && spent.failedCount == 0)
        let last = plan([.empty], [empty, RecordedRun(0..<10, .failed, attempt: 2)])
        #expect(last.actions.isEmpty && last.recordedCount == 1 && last.failedCount == 0)
        #expect(plan([.empty], [failed]).failedCount == 1)
    }

    @Test("a retry made by hand on the service counts as an attempt")
    func byHand() {
        func found(_ attempt: Int, _ state: RunState, records: Int64?) -> RecordedRun {
            RecordedRun(
                identity: RunIdentity(flow: SampleFlow.id, window: Window(0..<10), attempt: attempt), state: state,
                origin: .service, id: RunID("found-\(attempt)"), recordedAt: Timestamp(seconds: Int64(attempt)),
                records: records)
        }
        let retried = plan([.empty], [found(1, .succeeded, records: 0), found(2, .succeeded, records: 5)])
        #expect(retried.actions.isEmpty && retried.codes == [] && retried.recordedCount == 1)
        let once = plan([.failed], [found(1, .succeeded, records: 0), found(2, .succeeded, records: 5)])
        #expect(once.codes == [.windowRunTwice])
    }

    @Test("a re-trigger that the service answered with a known run uses up an attempt")
    func knownRun() {
        let answer = RecordedRun(0..<10, .rejected, attempt: 2, failure: "\(RunAnswerReason.knownRun)0--1")
        let again = plan([.failed], times: 2, [failed, answer]).actions.first
        #expect(again?.kind == .retry(of: RunID("0--1")!))
        #expect(again?.attempt == 3)
        let spent = plan([.failed], times: 1, [failed, answer])
        #expect(spent.actions.isEmpty && spent.failedCount == 1)
    }

    @Test("a declared rerun takes the place of a retry that the service refused, until then the retry is repeated")
    func refusedRetry() {
        let refused = RecordedRun(0..<10, .rejected, attempt: 2, failure: "not found")
        var flow = SampleFlow(retryFailed: 1, windows: [0..<10], runs: [failed, refused])
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0--1")!)])
        flow.reruns = [Rerun(0..<10, "fix")]
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
        flow.runs.append(RecordedRun(0..<10, .accepted, rerun: "fix"))
        #expect(flow.plan.actions.isEmpty && flow.plan.recordedCount == 2 && flow.plan.failedCount == 0)

        // The rerun failed, and its retry is refused as well: a rerun that is declared after it takes its place.
        flow.runs = [
            failed, refused, RecordedRun(0..<10, .failed, rerun: "fix"),
            RecordedRun(0..<10, .rejected, rerun: "fix", attempt: 2, failure: "not found"),
        ]
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0-fix-1")!)])
        flow.reruns.append(Rerun(0..<10, "again", line: 202))
        #expect(flow.plan.actions.map(\.rerun) == ["again"])
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
    }

    @Test("a declared rerun takes the place of a batch's refused retry")
    func refusedRetryOfBatch() {
        let runs = [
            RecordedRun(0..<20, .failed), RecordedRun(0..<20, .rejected, attempt: 2, failure: "not found"),
        ]
        var flow = SampleFlow(
            retryFailed: 1, series: [Series(every: 10, 0..<20)], batch: .fixed(.seconds(20)), runs: runs)
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0--1")!)])
        flow.reruns = [Rerun(0..<20, "fix")]
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
        flow.runs.append(RecordedRun(0..<20, .accepted, rerun: "fix"))
        #expect(flow.plan.actions.isEmpty)
    }

    @Test("a run with too few records is reported until a run of the window has enough")
    func expectation() {
        var flow = SampleFlow(windows: [0..<10], runs: [RecordedRun(0..<10, .succeeded, records: 4)])
        #expect(flow.declaration.runsWithTooFewRecords(in: flow.runs) == [])
        flow.expectation = Expectation(minimumRecords: 5)
        #expect(flow.declaration.runsWithTooFewRecords(in: flow.runs) == flow.runs)
        let known = Acknowledgement(
            run: RunID("0--1")!, reason: "a holiday", window: Window(0..<10), place: SampleFlow.place)
        flow.acknowledged = [known]
        #expect(flow.declaration.runsWithTooFewRecords(in: flow.runs) == [])
        flow.acknowledged = []
        flow.runs.append(RecordedRun(0..<10, .succeeded, rerun: "fix", records: 5))
        #expect(flow.declaration.runsWithTooFewRecords(in: flow.runs) == [])
        flow.runs[1].records = nil
        #expect(flow.declaration.runsWithTooFewRecords(in: flow.runs).count == 1, "it may have brought none")
    }

    @Test("a flow that comes after another waits for the expected records")
    func after() {
        let runs = [RecordedRun(0..<10, .succeeded, records: 0)]
        let flow = SampleFlow(expectation: Expectation(minimumRecords: 1), windows: [0..<10], runs: runs)
        let after = Predecessor(flow.declaration, flow.plan, runs: runs)
        #expect(
            SampleFlow(windows: [0..<10], predecessors: [after]).plan.held.map(\.reason) == [
                "waits for contacts, whose run has not succeeded"
            ])
    }
}
