import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Pauses")
struct PauseTests {
    private func pause(until seconds: Int64? = nil, _ reason: String = "migration") -> Pause {
        Pause(reason: reason, until: seconds.map { Timestamp(seconds: $0) }, place: SampleFlow.place)
    }

    @Test("a paused flow is planned as usual, but all its windows are held")
    func paused() {
        var flow = SampleFlow(
            retryFailed: 1, windows: [0..<10, 20..<30, 40..<50], reruns: [Rerun(40..<50, "fix")],
            runs: [RecordedRun(20..<30, .failed), RecordedRun(40..<50, .succeeded)])
        let windows = flow.plan.ranges
        flow.pauses = [pause(until: 2000)]
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == windows)
        #expect(flow.plan.held.allSatisfy { $0.cause == .paused })
        #expect(flow.plan.held.first?.reason == "paused until 1970-01-01T00:33:20Z: migration")
        #expect((flow.plan.counts[.paused], flow.plan.counts[.held]) == (3, 0))
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a pause ends at its time, and a pause without a time does not end")
    func end() {
        var flow = SampleFlow(windows: [0..<10], pauses: [pause(until: 1000)])
        #expect(flow.plan.ranges == [0..<10])
        flow.pauses = [pause(until: 1001)]
        #expect(flow.plan.ranges == [])
        flow.pauses = [pause(until: 1000), pause()]
        #expect(flow.plan.held.map(\.reason) == ["paused: migration"])
    }

    @Test("of two pauses, the one that ends last is shown")
    func two() {
        let flow = SampleFlow(windows: [0..<10], pauses: [pause(until: 1500, "short"), pause(until: 3000, "long")])
        #expect(flow.plan.held.map(\.reason) == ["paused until 1970-01-01T00:50:00Z: long"])
    }

    @Test("a request in doubt is the cause of the hold even in a paused flow, since an apply may settle it")
    func doubt() {
        let flow = SampleFlow(
            windows: [0..<10, 20..<30], pauses: [pause()], runs: [RecordedRun(20..<30, .inDoubt)])
        #expect(flow.plan.held.map(\.cause) == [.doubt, .doubt])
    }

    @Test("a broken rule is an error even in a paused flow")
    func brokenRule() {
        let flow = SampleFlow(source: .table, windows: [0..<10], pauses: [pause()])
        #expect(flow.plan.codes == [.deltaColumnMissing])
    }
}
