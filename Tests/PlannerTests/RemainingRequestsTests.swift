import FlowRuns
import Manifests
import Testing

@testable import Planner

/// What the ledger of the apply leaves of the requests that were approved.
@Suite("Remaining requests")
struct RemainingRequestsTests {
    private static let approved = SampleFlow(
        source: .table, column: DeltaColumn(name: "DOB"), windows: [0..<10, 10..<20, 20..<30])

    private func remainder(
        of flow: SampleFlow = approved, after runs: [RecordedRun], replaced: [RecordedRun] = []
    ) -> RemainingRequests {
        var now = flow
        now.replacedRuns = replaced
        return Planner(asOf: flow.asOf).remainder(
            of: flow.plan, record: flow.record, runs: runs.sorted(by: RecordedRun.isBefore), replaced: now.replaced)
    }

    private func ranges(_ remainder: RemainingRequests) -> [Range<Int64>]? {
        guard case .missing(let actions, _, _) = remainder else { return nil }
        return actions.map(\.window.range)
    }

    @Test(
        "approved requests remain until their windows are run",
        arguments: [
            ([], [0..<10, 10..<20, 20..<30]),
            ([RecordedRun(0..<10, .accepted)], [10..<20, 20..<30]),
            ([RecordedRun(10..<20, .succeeded)], [0..<10, 20..<30]),
            ([RecordedRun(10..<20, .released)], [0..<10, 10..<20, 20..<30]),
            ([RecordedRun(0..<10, .succeeded), RecordedRun(10..<20, .accepted), RecordedRun(20..<30, .failed)], []),
        ] as [([RecordedRun], [Range<Int64>])])
    func missing(runs: [RecordedRun], missing: [Range<Int64>]) {
        #expect(ranges(remainder(after: runs)) == missing)
    }

    @Test("the delta column remains only while no run of the flow is recorded")
    func column() {
        guard case .missing(_, let column, _) = remainder(after: []) else {
            Issue.record("nothing is missing")
            return
        }
        #expect(column?.name == "DOB")
        guard case .missing(_, nil, _) = remainder(after: [RecordedRun(0..<10, .accepted, column: "DOB")]) else {
            Issue.record("the column is sent again")
            return
        }
    }

    @Test("a window that is not approved is not requested, even if it is declared by now")
    func onlyApproved() {
        #expect(ranges(remainder(after: [RecordedRun(40..<50, .accepted)])) == [0..<10, 10..<20, 20..<30])
    }

    @Test("a request in doubt holds the flow")
    func held() {
        guard case .held = remainder(after: [RecordedRun(0..<10, .inDoubt)]) else {
            Issue.record("not held")
            return
        }
    }

    @Test("a run that cuts an approved window is a conflict")
    func conflict() {
        guard case .conflict(let errors) = remainder(after: [RecordedRun(5..<15, .succeeded)]) else {
            Issue.record("no conflict")
            return
        }
        #expect(Set(errors.map(\.code)) == [.windowOverlapsRecorded])
    }

    @Test("a run inside an approved batch cuts it anew")
    func recut() {
        let flow = SampleFlow(
            overlap: .trim, series: [Series(every: 10, 0..<40)], batch: .fixed(.seconds(40)))
        #expect(flow.plan.ranges == [0..<40])
        guard case .missing(let actions, _, true) = remainder(of: flow, after: [RecordedRun(10..<20, .succeeded)])
        else {
            Issue.record("the batch is as approved")
            return
        }
        #expect(actions.isEmpty, "the pieces were not approved")
    }

    @Test("a run of a replaced flow counts")
    func replaced() {
        var flow = Self.approved
        flow.replacedRuns = [RecordedRun(90..<99, .succeeded, of: SampleFlow.replacedID)]
        let run = RecordedRun(0..<10, .succeeded, of: SampleFlow.replacedID)
        #expect(ranges(remainder(of: flow, after: [], replaced: [run])) == [10..<20, 20..<30])
    }
}
