import FlowRuns
import Ledger
import Manifests
import Testing

@testable import Planner

@Suite("Flows that replace others")
struct ReplacementTests {
    private func old(_ range: Range<Int64>?, _ state: RunState = .succeeded, rerun: String? = nil) -> RecordedRun {
        RecordedRun(range, state, rerun: rerun, id: "old-\(range?.lowerBound ?? 0)", of: SampleFlow.replacedID)
    }

    @Test("recorded runs of the replaced flow count, and the first request still carries the delta column")
    func counts() {
        let flow = SampleFlow(
            source: .table, column: DeltaColumn(name: "DOB"), windows: [0..<10, 20..<30, 40..<50],
            replacedRuns: [old(0..<10), old(20..<30, .partial)])
        #expect(flow.plan.ranges == [40..<50])
        #expect(flow.plan.actions.first?.deltaColumn?.name == "DOB")
        #expect((flow.plan.recordedCount, flow.plan.replacedCount) == (2, 2))
        #expect(flow.plan.undeclared.isEmpty)
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test(
        "a failed, rejected or released run of the replaced flow does not count",
        arguments: [RunState.failed, .rejected, .released])
    func failed(_ state: RunState) {
        let flow = SampleFlow(retryFailed: 2, windows: [0..<10], replacedRuns: [old(0..<10, state)])
        #expect(flow.plan.actions.map(\.kind) == [.create])
        let reason = state == .failed ? "run old-0 of the flow that it replaces failed" : "never run"
        #expect(flow.plan.actions.first?.reason == reason)
    }

    @Test("a request in doubt on a replaced flow holds only its window", arguments: [RunState.intended, .inDoubt])
    func doubt(_ state: RunState) {
        let flow = SampleFlow(windows: [0..<10, 20..<30], replacedRuns: [old(0..<10, state)])
        #expect(flow.plan.ranges == [20..<30])
        #expect(flow.plan.held.map(\.window.range) == [0..<10])
        #expect(flow.plan.held.first?.cause == .replaced)
        #expect(flow.plan.held.first?.reason.hasPrefix("on the flow that it replaces, 0dd0dd0d-") == true)
    }

    @Test(
        "an open claim of a replaced flow is never taken for a recorded run: the windows that it overlaps are held",
        arguments: [RunState.intended, .inDoubt], FlowDeclaration.Overlap.allCases)
    func doubtOfAnotherCut(_ state: RunState, overlap: FlowDeclaration.Overlap) {
        var flow = SampleFlow(
            overlap: overlap, windows: [0..<6], series: [Series(every: 6, 6..<18)], replacedRuns: [old(0..<10, state)])
        guard overlap != .allow else {
            #expect(flow.plan.ranges == [0..<6, 6..<12, 12..<18])
            return
        }
        #expect(flow.plan.ranges == [12..<18])
        #expect(flow.plan.held.map(\.window.range) == [0..<6, 6..<12])
        #expect(flow.plan.held.allSatisfy { $0.cause == .replaced })
        #expect(flow.plan.recordedCount == 0)
        #expect(flow.plan.diagnostics.isEmpty)
        flow.replacedRuns = [old(0..<10, .released)]
        #expect(flow.plan.ranges == [0..<6, 6..<12, 12..<18])
    }

    @Test("a claim of a rerun on a replaced flow does not hold a window that the replaced flow has recorded")
    func doubtfulRerun() {
        let flow = SampleFlow(
            overlap: .trim, windows: [0..<10, 5..<15],
            replacedRuns: [old(0..<10, .inDoubt, rerun: "fix"), old(0..<10)])
        #expect(flow.plan.ranges == [10..<15])
        #expect(flow.plan.held.isEmpty)
    }

    @Test("an acknowledged run of the replaced flow counts for the window that the service tells")
    func acknowledgedRun() {
        let run = RecordedRun(
            identity: RunIdentity(flow: SampleFlow.replacedID, window: Window(0..<10)), state: .succeeded,
            origin: .service, id: RunID("old"), recordedAt: Timestamp(seconds: 100))
        let known = Acknowledgement(run: RunID("old")!, reason: "a test", place: SampleFlow.place)
        let flow = SampleFlow(
            windows: [0..<10], reruns: [Rerun(0..<10, "fix")], acknowledged: [known], replacedRuns: [run])
        #expect(flow.plan.actions.map(\.rerun) == ["fix"])
        #expect(flow.plan.replacedCount == 1)
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a run of unknown window on the replaced flow holds the whole flow until it is acknowledged")
    func unknownWindow() {
        var flow = SampleFlow(windows: [0..<10], replacedRuns: [old(nil)])
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.codes == [.runOfUnknownWindow])
        flow.acknowledged = [Acknowledgement(run: RunID("old-0")!, reason: "a test", place: SampleFlow.place)]
        #expect(flow.plan.ranges == [0..<10])
        #expect(flow.plan.diagnostics.isEmpty)
        flow.acknowledged = [
            Acknowledgement(run: RunID("old-0")!, reason: "known", window: Window(0..<10), place: SampleFlow.place)
        ]
        #expect(flow.plan.replacedCount == 1)
    }

    @Test("recorded reruns of the replaced flow are not repeated, and new reruns can name its windows")
    func reruns() {
        let flow = SampleFlow(
            windows: [0..<10], reruns: [Rerun(0..<10, "old"), Rerun(0..<10, "new", line: 202)],
            replacedRuns: [old(0..<10), old(0..<10, rerun: "old")])
        #expect(flow.plan.actions.map(\.rerun) == ["new"])
        #expect(flow.plan.recordedCount == 2)
    }

    @Test("after a lost ledger, runs of both flows count together, oldest first: the window's own, then its reruns")
    func rerunsAfterLostLedger() {
        func found(_ seconds: Int64, of flow: FlowID) -> RecordedRun {
            RecordedRun(
                identity: RunIdentity(flow: flow, window: Window(0..<10)), state: .succeeded, origin: .service,
                id: RunID("run-\(seconds)"), recordedAt: Timestamp(seconds: seconds))
        }
        var flow = SampleFlow(
            windows: [0..<10], reruns: [Rerun(0..<10, "first"), Rerun(0..<10, "second", line: 202)],
            replacedRuns: [found(100, of: SampleFlow.replacedID)])
        #expect(flow.plan.actions.map(\.rerun) == ["first", "second"])
        flow.runs = [found(200, of: SampleFlow.id)]
        #expect(flow.plan.actions.map(\.rerun) == ["second"])
        flow.replacedRuns.append(found(150, of: SampleFlow.replacedID))
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.codes == [.runTakenForRerun])
    }

    @Test("overlaps with windows of the replaced flow are handled like overlaps with the flow's own")
    func overlap() {
        var flow = SampleFlow(windows: [0..<10], replacedRuns: [old(5..<15)])
        #expect(flow.plan.codes == [.windowOverlapsRecorded])
        flow.overlap = .trim
        #expect(flow.plan.ranges == [0..<5])
    }

    @Test("the plan is not verified until both flows have been compared with the service")
    func verified() {
        let flow = SampleFlow(windows: [0..<10])
        let replaced = FlowSnapshot(record: FlowRecord(id: SampleFlow.replacedID), runs: [])
        let plan = Planner(asOf: flow.asOf).plan(
            flow.declaration, record: flow.record, runs: flow.runs, replaced: [replaced])
        #expect(!plan.isVerified)
    }
}
