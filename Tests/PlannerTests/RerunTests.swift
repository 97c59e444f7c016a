import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Reruns")
struct RerunTests {
    private let done = RecordedRun(0..<10, .succeeded)

    @Test("a rerun of a recorded window is requested once")
    func rerun() {
        var flow = SampleFlow(windows: [0..<10], reruns: [Rerun(0..<10, "fix-418")], runs: [done])
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
        #expect(flow.plan.actions.first?.rerun == "fix-418")
        #expect(flow.plan.actions.first?.reason == "rerun fix-418: late files")
        #expect(flow.plan.actions.first?.place.line == 201)
        flow.runs.append(RecordedRun(0..<10, .accepted, rerun: "fix-418"))
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.recordedCount == 2)
        #expect(flow.plan.undeclared.isEmpty)
    }

    @Test(
        "a recorded run in any accepted state allows a rerun, declared or not",
        arguments: [RunState.accepted, .partial, .failed])
    func anyOutcome(_ state: RunState) {
        let plan = SampleFlow(reruns: [Rerun(0..<10, "fix")], runs: [RecordedRun(0..<10, state)]).plan
        #expect(plan.actions.map(\.kind) == [.rerun])
        #expect(plan.undeclared.isEmpty)
    }

    @Test("a rerun follows its window's first run, in window order")
    func order() {
        let flow = SampleFlow(
            windows: [0..<10, 20..<30], reruns: [Rerun(0..<10, "b"), Rerun(0..<10, "a", line: 202)])
        #expect(flow.plan.ranges == [0..<10, 0..<10, 0..<10, 20..<30])
        #expect(flow.plan.actions.map(\.rerun) == [nil, "a", "b", nil])
    }

    @Test("a rerun of a window that was never run is an error", arguments: [RunState.rejected, .released, nil])
    func neverRun(_ state: RunState?) {
        let flow = SampleFlow(reruns: [Rerun(0..<10, "fix")], runs: state.map { [RecordedRun(0..<10, $0)] } ?? [])
        #expect(flow.plan.codes == [.rerunOfNothing])
        #expect(flow.plan.lines == [201])
        #expect(flow.plan.actions.isEmpty)
    }

    @Test("a rerun of an unknown window is held before the first contact with the service")
    func unverified() {
        var flow = SampleFlow(reruns: [Rerun(0..<10, "fix")])
        flow.record.contactedAt = nil
        #expect(flow.plan.diagnostics.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == [0..<10])
        #expect(flow.plan.held.first?.reason.contains("the next apply or refresh asks the service") == true)
    }

    @Test("a rerun of a window that trim shortens is an error; a rerun of an untrimmed window is not")
    func trimmed() {
        let reruns = [Rerun(0..<10, "whole"), Rerun(5..<15, "cut", line: 202)]
        let plan = SampleFlow(overlap: .trim, windows: [0..<10, 5..<15], reruns: reruns).plan
        #expect(plan.codes == [.rerunOfNothing])
        #expect(plan.lines == [202])
        #expect(plan.ranges == [0..<10, 0..<10, 10..<15])
    }

    @Test("a rerun may overlap other windows")
    func overlaps() {
        let runs = [done, RecordedRun(5..<15, .succeeded)]
        let plan = SampleFlow(windows: [0..<10, 5..<15], reruns: [Rerun(0..<10, "fix")], runs: runs).plan
        #expect(plan.ranges == [0..<10])
        #expect(!plan.diagnostics.hasErrors)
    }

    @Test("a refused rerun is requested again; a failed one is retried as its next attempt")
    func again() {
        var flow = SampleFlow(retryFailed: 1, reruns: [Rerun(0..<10, "fix")], runs: [done])
        flow.runs.append(RecordedRun(0..<10, .rejected, rerun: "fix", failure: "busy"))
        #expect(flow.plan.actions.map(\.kind) == [.rerun])
        #expect(flow.plan.actions.first?.attempt == 2)
        #expect(flow.plan.actions.first?.refusal == "busy")
        flow.runs.append(RecordedRun(0..<10, .failed, rerun: "fix", attempt: 2))
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0-fix-2")!)])
        #expect(flow.plan.actions.first?.attempt == 3)
        #expect(flow.plan.actions.first?.rerun == "fix")
        #expect(flow.plan.actions.first?.reason == "rerun fix 0-fix-2 failed; retry 1 of 1")
    }

    // MARK: Ranges

    private let days = [RecordedRun(0..<10, .succeeded), RecordedRun(10..<20, .failed), RecordedRun(20..<30, .partial)]

    @Test("a range reruns each recorded window that it touches once under its ID")
    func range() {
        var flow = SampleFlow(
            windows: [0..<10, 10..<20, 20..<30], reruns: [Rerun(5..<20, isRange: true, "fix")], runs: days)
        #expect(flow.plan.ranges == [0..<10, 10..<20])
        #expect(flow.plan.actions.map(\.rerun) == ["fix", "fix"])
        #expect(flow.plan.actions.map(\.place.line) == [201, 201])
        flow.runs.append(RecordedRun(10..<20, .accepted, rerun: "fix"))
        #expect(flow.plan.ranges == [0..<10])
        flow.runs.append(RecordedRun(0..<10, .accepted, rerun: "fix"))
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.recordedCount == 5)
        #expect(flow.plan.undeclared.isEmpty)
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a failed rerun of a range is retried only as often as allowed, even if the window's own run is missing")
    func rangeBeforeOwnRun() {
        var flow = SampleFlow(
            retryFailed: 1, windows: [0..<10], reruns: [Rerun(0..<10, isRange: true, "fix")],
            runs: [RecordedRun(0..<10, .rejected), RecordedRun(0..<10, .failed, rerun: "fix")])
        #expect(flow.plan.actions.map(\.kind) == [.create, .retry(of: RunID("0-fix-1")!)])
        flow.runs.append(RecordedRun(0..<10, .failed, rerun: "fix", attempt: 2))
        #expect(flow.plan.actions.map(\.kind) == [.create])
        #expect(flow.plan.failedCount == 1)
    }

    @Test("a range does not rerun a failed run of an undeclared window, which covers nothing")
    func rangeOverFailedRun() {
        let flow = SampleFlow(
            windows: [0..<10], reruns: [Rerun(0..<30, isRange: true, "fix")],
            runs: [done, RecordedRun(0..<30, .failed, id: "long")])
        #expect(flow.plan.ranges == [0..<10])
        #expect(flow.plan.actions.map(\.rerun) == ["fix"])
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a range runs missing windows first and then again, so the result does not depend on the time of planning")
    func rangeOfMissing() {
        let flow = SampleFlow(windows: [0..<10, 10..<20], reruns: [Rerun(0..<20, isRange: true, "fix")], runs: [done])
        #expect(flow.plan.ranges == [0..<10, 10..<20, 10..<20])
        #expect(flow.plan.actions.map(\.rerun) == ["fix", nil, "fix"])
    }

    @Test("pieces that trim leaves are rerun as they are")
    func rangeOfPieces() {
        let flow = SampleFlow(
            overlap: .trim, windows: [5..<20], reruns: [Rerun(0..<20, isRange: true, "fix")], runs: [done])
        #expect(flow.plan.ranges == [0..<10, 10..<20, 10..<20])
    }

    @Test("a range that touches nothing is an error after contact with the service")
    func emptyRange() {
        var flow = SampleFlow(reruns: [Rerun(10..<20, isRange: true, "fix")], runs: [done])
        #expect(flow.plan.codes == [.rerunOfNothing])
        #expect(flow.plan.diagnostics.first?.message.contains("touches no window that was run") == true)
        flow.record.contactedAt = nil
        #expect(flow.plan.diagnostics.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == [10..<20])
    }

    @Test("a failed rerun of a range is retried in its window; a refused one is requested again")
    func rangeAgain() {
        let flow = SampleFlow(
            retryFailed: 1, reruns: [Rerun(0..<30, isRange: true, "fix")],
            runs: [
                done, RecordedRun(0..<10, .failed, rerun: "fix"), RecordedRun(20..<30, .succeeded),
                RecordedRun(20..<30, .rejected, rerun: "fix", failure: "busy"),
            ])
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0-fix-1")!), .rerun])
        #expect(flow.plan.actions.map(\.attempt) == [2, 2])
    }

    @Test(
        "a rerun of part of a recorded window suggests the range to write instead",
        arguments: [0..<5, 3..<7, 5..<10, 0..<15, -5..<20])
    func piece(_ range: Range<Int64>) {
        let plan = SampleFlow(windows: [0..<10], reruns: [Rerun(range, "fix")], runs: [done]).plan
        #expect(plan.codes == [.rerunOfNothing])
        let window = Window(range)
        #expect(
            plan.diagnostics.first?.suggestion
                == "to run every window that it touches once more, write {from: \(window.start), until: \(window.end), "
                + "id: fix, reason: …} instead")
    }
}
