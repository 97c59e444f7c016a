import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("The order of requests")
struct RequestOrderTests {
    @Test("newest-first order reverses the windows, but a window's own run still comes before its reruns")
    func newestFirst() {
        let flow = SampleFlow(
            order: .newestFirst, windows: [0..<10, 20..<30, 40..<50],
            reruns: [Rerun(20..<30, "b"), Rerun(20..<30, "a", line: 202)])
        #expect(flow.plan.ranges == [40..<50, 20..<30, 20..<30, 20..<30, 0..<10])
        #expect(flow.plan.actions.map(\.rerun) == [nil, nil, "a", "b", nil])
    }

    @Test("the first request in any order carries the delta column", arguments: FlowDeclaration.Order.allCases)
    func deltaColumn(_ order: FlowDeclaration.Order) {
        let flow = SampleFlow(
            source: .table, column: DeltaColumn(name: "DOB"), order: order, windows: [0..<10, 20..<30, 40..<50])
        #expect(flow.plan.actions.map { $0.deltaColumn?.name } == ["DOB", nil, nil])
        #expect(flow.plan.ranges.first == (order == .oldestFirst ? 0..<10 : 40..<50))
    }

    @Test("flows of a higher priority come first; flows of equal priority keep their order")
    func priority() {
        let target = Target(
            name: "prod", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "x"),
            place: SampleFlow.place)
        let flows = [(1, 0), (2, -5), (3, 7), (4, 7)].map { number, priority in
            let declaration = FlowDeclaration(
                id: FlowID("3abea21c-7e36-4be1-bec1-00000000000\(number)")!, manifest: "crm", target: "prod",
                source: .file, priority: priority, place: SampleFlow.place)
            return Planner(asOf: Timestamp(seconds: 0)).plan(
                declaration, record: FlowRecord(id: declaration.id), runs: [RecordedRun]())
        }
        let plan = Plan(asOf: Timestamp(seconds: 0), target: target, manifests: [], flows: flows)
        #expect(plan.flows.map { $0.id.description.suffix(1) } == ["3", "4", "1", "2"])
    }
}
