import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("The delta-column rule, row by row")
struct DeltaColumnRuleTests {
    private let column = DeltaColumn(name: "DOB")
    private let asked: [Range<Int64>] = [20..<30, 0..<10]

    private func flow(_ declared: String?, own: String? = nil, runs: [RecordedRun] = []) -> SampleFlow {
        var flow = SampleFlow(source: .table, windows: asked, runs: runs)
        flow.column = declared.map { DeltaColumn(name: $0) }
        flow.record.deltaColumn = own.map { DeltaColumn(name: $0) }
        return flow
    }

    private func carried(_ plan: FlowPlan) -> [DeltaColumn?] { plan.actions.map(\.deltaColumn) }

    @Test("table, never run, column given: only the first request in order carries the column")
    func firstRequestCarries() {
        let plan = flow("DOB").plan
        #expect(plan.ranges == [0..<10, 20..<30])
        #expect(carried(plan) == [column, nil])
        #expect(plan.actions.map(\.reason) == ["first run of the flow: carries the delta column DOB", "never run"])
        #expect(plan.diagnostics.isEmpty)
    }

    @Test("table, only rejected or released requests: the first request carries the column, and the rejection is shown")
    func onlyRejected() {
        let runs = [RecordedRun(0..<10, .rejected, failure: "no such column"), RecordedRun(40..<50, .released)]
        let plan = flow("DOB", runs: runs).plan
        #expect(carried(plan) == [column, nil])
        #expect(
            plan.actions.first?.reason
                == "first run of the flow: carries the delta column DOB; refused before: no such column")
    }

    @Test("table, never run, no column: an error at the flow")
    func missing() {
        let plan = flow(nil).plan
        #expect(plan.codes == [.deltaColumnMissing])
        #expect(plan.diagnostics.hasErrors)
        #expect(plan.lines == [SampleFlow.place.line])
        #expect(carried(plan) == [nil, nil])
    }

    @Test("table, never run, no column, nothing to request: no error")
    func missingButIdle() {
        #expect(SampleFlow(source: .table).plan.diagnostics.isEmpty)
    }

    @Test("table, run with X, column absent or X: no request carries it", arguments: [nil, "DOB"])
    func known(_ declared: String?) {
        let plan = flow(declared, runs: [RecordedRun(40..<50, .failed, column: "DOB")]).plan
        #expect(carried(plan) == [nil, nil])
        #expect(plan.diagnostics.isEmpty)
    }

    @Test("table, run with X, column Y: an error at the column names both, the run and its time")
    func fixed() {
        let runs = [
            RecordedRun(40..<50, .succeeded, id: "later", column: "NAME", at: 1_651_587_213),
            RecordedRun(60..<70, .succeeded, id: "first", column: "DOB", at: 1_651_587_212),
        ]
        let plan = flow("EMAIL", runs: runs).plan
        #expect(plan.codes == [.deltaColumnFixed])
        #expect(plan.diagnostics.hasErrors)
        #expect(plan.diagnostics.first?.place == SampleFlow.columnPlace)
        #expect(
            plan.diagnostics.first?.message
                == "the delta column is fixed at 'DOB' since run first at 2022-05-03T14:13:32Z and cannot become 'EMAIL'"
        )
        #expect(carried(plan) == [nil, nil])
    }

    @Test("a different column than the fixed one is an error even if nothing is to be requested")
    func fixedAndIdle() {
        var flow = flow("EMAIL", runs: [RecordedRun(0..<10, .succeeded, column: "DOB")])
        flow.windows = [0..<10]
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.codes == [.deltaColumnFixed])
    }

    @Test("the flow's own column takes precedence over the one that a request carried")
    func ownColumnWins() {
        let runs = [RecordedRun(40..<50, .succeeded, column: "OLD")]
        #expect(flow("DOB", own: "DOB", runs: runs).plan.diagnostics.isEmpty)
        #expect(flow("OLD", own: "DOB", runs: runs).plan.codes == [.deltaColumnFixed])
    }

    @Test("a column of the same name with another date format is another column")
    func otherFormat() {
        var flow = flow("DOB", own: "DOB", runs: [RecordedRun(40..<50, .succeeded)])
        flow.record.deltaColumn = DeltaColumn(name: "DOB", dateFormat: "yyyy")
        #expect(flow.plan.diagnostics.isEmpty)
        flow.column = DeltaColumn(name: "DOB", dateFormat: "dd")
        #expect(flow.plan.diagnostics.first?.message.contains("'DOB' (dateFormat yyyy) since run") == true)
    }

    @Test(
        "table, run with an unknown column: no request carries it, and a warning suggests a refresh",
        arguments: [nil, "DOB"])
    func unknown(_ declared: String?) {
        let plan = flow(declared, runs: [RecordedRun(40..<50, .succeeded)]).plan
        #expect(carried(plan) == [nil, nil])
        #expect(plan.codes == [.deltaColumnUnknown])
        #expect(!plan.diagnostics.hasErrors)
        #expect(plan.diagnostics.first?.suggestion?.contains("sluice refresh") == true)
    }

    @Test(
        "table, none accepted, one in doubt: the flow is held", arguments: [nil, "DOB"], [RunState.intended, .inDoubt])
    func inDoubt(_ declared: String?, _ state: RunState) {
        let plan = flow(declared, runs: [RecordedRun(40..<50, state, column: "DOB")]).plan
        #expect(plan.actions.isEmpty)
        #expect(plan.held.map(\.window.range) == [0..<10, 20..<30])
        #expect(plan.diagnostics.isEmpty)
    }

    @Test("table, never run, created with a column: a different column is an error, an absent one is not")
    func madeWithColumn() {
        #expect(carried(flow("DOB", own: "DOB").plan) == [column, nil])
        #expect(flow("EMAIL", own: "DOB").plan.codes == [.deltaColumnFixed])
        #expect(flow(nil, own: "DOB").plan.diagnostics.isEmpty)
        #expect(carried(flow(nil, own: "DOB").plan) == [nil, nil])
    }

    @Test("file, column given: an error, with and without runs", arguments: [[], [RecordedRun(0..<10, .succeeded)]])
    func onFile(_ runs: [RecordedRun]) {
        var flow = flow("DOB", runs: runs)
        flow.source = .file
        flow.windows = runs.isEmpty ? asked : [0..<10]
        #expect(flow.plan.codes == [.deltaColumnOnFile])
        #expect(flow.plan.diagnostics.first?.place == SampleFlow.columnPlace)
    }

    @Test("file, no column: no request carries it")
    func file() {
        let plan = SampleFlow(windows: asked).plan
        #expect(carried(plan) == [nil, nil])
        #expect(plan.diagnostics.isEmpty)
    }
}
