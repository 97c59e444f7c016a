import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Batches")
struct BatchTests {
    private func flow(_ series: Range<Int64>, every: Int64 = 10, batch: Int64? = 30) -> SampleFlow {
        SampleFlow(
            retryFailed: 1, series: [Series(every: every, series)],
            batch: batch.map { .fixed(.seconds($0)) })
    }

    @Test("missing windows that touch are requested as one run of at most the batch length")
    func joined() {
        var flow = flow(0..<80)
        #expect(flow.plan.ranges == [0..<30, 30..<60, 60..<80])
        #expect(flow.plan.actions.map(\.windowCount) == [3, 3, 2])
        #expect(flow.plan.actions.first?.reason == "never run: 3 windows in one run")
        flow.runs = [RecordedRun(10..<20, .succeeded)]
        #expect(flow.plan.ranges == [0..<10, 20..<50, 50..<80])
        #expect((flow.plan.counts[.create], flow.plan.counts[.windows]) == (3, 7))
    }

    @Test("a batch length that is not a multiple of the window is not exceeded; a longer window is requested alone")
    func limit() {
        #expect(flow(0..<40, batch: 29).plan.ranges == [0..<20, 20..<40])
        #expect(flow(0..<40, batch: 5).plan.ranges == [0..<10, 10..<20, 20..<30, 30..<40])
    }

    @Test(
        "a recorded batch covers its windows with any other batch length, and without one", arguments: [nil, 20, 70])
    func recorded(_ batch: Int64?) {
        var flow = flow(0..<70, batch: batch)
        flow.runs = [RecordedRun(0..<30, .succeeded), RecordedRun(30..<60, .accepted)]
        #expect(flow.plan.ranges == [60..<70])
        #expect(flow.plan.recordedCount == 6)
        #expect(flow.plan.undeclared.isEmpty)
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a failed batch is retried as one run, and counts as failed when no retry is left")
    func failed() {
        var flow = flow(0..<30)
        flow.runs = [RecordedRun(0..<30, .failed)]
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0--1")!)])
        #expect(flow.plan.ranges == [0..<30])
        flow.runs.append(RecordedRun(0..<30, .failed, attempt: 2))
        #expect(flow.plan.actions.isEmpty)
        #expect((flow.plan.recordedCount, flow.plan.failedCount) == (3, 3))
        #expect(flow.plan.undeclared.isEmpty)
    }

    @Test("a failed batch is not joined with the windows that became due since, nor with those before it")
    func grownSeries() {
        var flow = flow(-10..<40, batch: 70)
        flow.runs = [RecordedRun(0..<30, .failed)]
        #expect(flow.plan.ranges == [-10..<0, 0..<30, 30..<40])
        #expect(flow.plan.actions.map(\.kind) == [.create, .retry(of: RunID("0--1")!), .create])
        flow.runs.append(RecordedRun(0..<30, .failed, attempt: 2))
        #expect(flow.plan.ranges == [-10..<0, 30..<40])
        #expect((flow.plan.recordedCount, flow.plan.failedCount) == (3, 3))
        flow.batch = .fixed(.seconds(30))
        #expect(flow.plan.ranges == [-10..<0, 30..<40], "not even the beginning of it")
        // Status suggests this rerun.
        flow.reruns = [Rerun(0..<30, "again-1")]
        #expect(flow.plan.ranges == [-10..<0, 0..<30, 30..<40])
        #expect(flow.plan.actions.map(\.rerun) == [nil, "again-1", nil])
    }

    @Test("a range reruns a batch that failed with no retry left")
    func rerunOfFailed() {
        var flow = flow(0..<30)
        flow.runs = [RecordedRun(0..<30, .failed), RecordedRun(0..<30, .failed, attempt: 2)]
        flow.reruns = [Rerun(10..<20, isRange: true, "fix")]
        #expect(flow.plan.ranges == [0..<30])
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
        flow.runs.append(RecordedRun(0..<30, .succeeded, rerun: "fix"))
        #expect(flow.plan.actions.isEmpty && flow.plan.failedCount == 0)
    }

    @Test("a failed batch of another length is listed as undeclared, and its windows are requested again")
    func failedOfAnotherLength() {
        var flow = flow(0..<30, batch: 20)
        flow.runs = [RecordedRun(0..<30, .failed), RecordedRun(0..<30, .failed, attempt: 2)]
        #expect(flow.plan.ranges == [0..<20, 20..<30])
        #expect(flow.plan.actions.map(\.kind) == [.create, .create])
        #expect(flow.plan.undeclared.map(\.window?.range) == [0..<30, 0..<30])
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a failed batch of trimmed pieces is retried as often as allowed, and counts as failed afterwards")
    func failedPieces() {
        var flow = flow(0..<20)
        flow.overlap = .trim
        flow.runs = [RecordedRun(-5..<5, .succeeded)]
        #expect(flow.plan.ranges == [5..<20])
        flow.runs.append(RecordedRun(5..<20, .failed))
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("5--1")!)])
        #expect(flow.plan.ranges == [5..<20])
        flow.runs.append(RecordedRun(5..<20, .failed, attempt: 2))
        #expect(flow.plan.actions.isEmpty)
        #expect((flow.plan.recordedCount, flow.plan.failedCount) == (2, 2))
        #expect(flow.plan.undeclared.map(\.window?.range) == [-5..<5])
    }

    @Test("a batch to be retried is not run again while a longer run covers it")
    func coveredBatch() {
        var flow = flow(0..<20)
        flow.retriedStates = [.partial]
        flow.runs = [RecordedRun(0..<20, .partial)]
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0--1")!, asNewRun: true)])
        flow.runs.append(RecordedRun(0..<40, .succeeded, id: "longer"))
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.recordedCount == 2)
    }

    @Test("a refused batch is requested again, and its reason contains the refusal")
    func refused() {
        var flow = flow(0..<30)
        flow.runs = [RecordedRun(0..<30, .rejected, failure: "busy")]
        #expect(flow.plan.actions.map(\.attempt) == [2])
        #expect(flow.plan.actions.first?.reason == "3 windows in one run; refused before: busy")
    }

    @Test("a rerun of part of a batch suggests a range, and a range reruns the whole batch")
    func reruns() {
        var flow = flow(0..<30)
        flow.runs = [RecordedRun(0..<30, .succeeded)]
        flow.reruns = [Rerun(10..<20, "fix")]
        #expect(flow.plan.codes == [.rerunOfNothing])
        #expect(flow.plan.diagnostics.first?.suggestion?.contains("{from: 1970-01-01T00:00:10Z") == true)
        flow.reruns = [Rerun(10..<20, isRange: true, "fix")]
        #expect(flow.plan.ranges == [0..<30])
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
    }

    @Test("a window that a rerun names exactly is requested alone; windows in a range are batched")
    func rerunsOfMissing() {
        var flow = flow(0..<40)
        flow.reruns = [Rerun(10..<20, "fix")]
        #expect(flow.plan.ranges == [0..<10, 10..<20, 10..<20, 20..<40])
        flow.reruns = [Rerun(10..<20, isRange: true, "fix")]
        #expect(flow.plan.ranges == [0..<30, 0..<30, 30..<40])
    }

    @Test("windows of two series, and explicit ones, are not joined")
    func otherWindows() {
        var flow = flow(0..<20)
        flow.series.append(Series(every: 10, 20..<40, line: 302))
        flow.windows = [40..<50, 50..<60]
        #expect(flow.plan.ranges == [0..<20, 20..<40, 40..<50, 50..<60])
    }

    @Test("the first run of a flow carries the delta column, in a batch too")
    func deltaColumn() {
        var flow = flow(0..<60)
        (flow.source, flow.column, flow.order) = (.table, DeltaColumn(name: "DOB"), .newestFirst)
        #expect(flow.plan.ranges == [30..<60, 0..<30])
        #expect(flow.plan.actions.first?.deltaColumn?.name == "DOB")
        #expect(flow.plan.actions.first?.windowCount == 3)
    }

    @Test("a batch of a replaced flow covers its windows, and holds them while in doubt")
    func replaced() {
        var flow = flow(0..<30)
        flow.replacedRuns = [RecordedRun(0..<20, .succeeded, of: SampleFlow.replacedID)]
        #expect(flow.plan.ranges == [20..<30])
        #expect(flow.plan.replacedCount == 2)
        flow.replacedRuns = [RecordedRun(0..<20, .inDoubt, of: SampleFlow.replacedID)]
        #expect(flow.plan.held.map(\.window.range) == [0..<10, 10..<20])
        #expect(flow.plan.ranges == [20..<30])
    }

    @Test("a week of days across a DST change is one batch of P7D")
    func calendar() throws {
        let from = Timestamp(year: 2026, month: 3, day: 23)! - .seconds(3600)
        let series = Series(
            every: .days(1), from: from, until: .time(from + .seconds(14 * 86_400 - 3600)), timeZone: "Europe/Berlin",
            place: SampleFlow.place)
        let flow = SampleFlow(series: [series], batch: .days(7), asOf: from + .seconds(30 * 86_400))
        #expect(flow.plan.actions.map(\.windowCount) == [7, 7])
        #expect(flow.plan.actions.map { $0.window.length } == [.seconds(7 * 86_400 - 3600), .seconds(7 * 86_400)])
        #expect(flow.plan.actions.first?.members.map(\.count) == [6, 1])
    }
}
