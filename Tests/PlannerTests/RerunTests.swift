import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("reruns")
struct RerunTests {
    private let done = RecordedRun(0..<10, .succeeded)

    @Test("a rerun of a recorded window is asked for once")
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
        "a recorded run is enough, whatever came of it, declared or not",
        arguments: [RunState.accepted, .partial, .failed])
    func anyOutcome(_ state: RunState) {
        let plan = SampleFlow(reruns: [Rerun(0..<10, "fix")], runs: [RecordedRun(0..<10, state)]).plan
        #expect(plan.actions.map(\.kind) == [.rerun])
        #expect(plan.undeclared.isEmpty)
    }

    @Test("a rerun follows its window's first run, in the order of windows")
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

    @Test("a rerun of an unknown window is held while the service was not asked yet")
    func unverified() {
        var flow = SampleFlow(reruns: [Rerun(0..<10, "fix")])
        flow.record.contactedAt = nil
        #expect(flow.plan.diagnostics.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == [0..<10])
        #expect(flow.plan.held.first?.reason.contains("the service was not asked yet") == true)
    }

    @Test("a rerun of a window that trim cuts down is an error, of one that it leaves whole is not")
    func trimmed() {
        let reruns = [Rerun(0..<10, "whole"), Rerun(5..<15, "cut", line: 202)]
        let plan = SampleFlow(overlap: .trim, windows: [0..<10, 5..<15], reruns: reruns).plan
        #expect(plan.codes == [.rerunOfNothing])
        #expect(plan.lines == [202])
        #expect(plan.ranges == [0..<10, 0..<10, 10..<15])
    }

    @Test("a rerun may overlap what it likes")
    func overlaps() {
        let runs = [done, RecordedRun(5..<15, .succeeded)]
        #expect(SampleFlow(windows: [0..<10, 5..<15], reruns: [Rerun(0..<10, "fix")], runs: runs).plan.codes.isEmpty)
    }

    @Test("a refused rerun is asked for again, a failed one is retried as its next attempt")
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
}
