import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Plan counts")
struct PlanCountsTests {
    private let target = Target(
        name: "prod", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "x"),
        place: Place(file: "target.yaml", line: 1, column: 1))

    @Test("counts add up over all flows, and one error makes the whole plan inapplicable")
    func counts() {
        let fine = SampleFlow(
            retryFailed: 1, windows: [0..<10, 20..<30, 40..<50], reruns: [Rerun(40..<50, "fix")],
            runs: [
                RecordedRun(20..<30, .failed), RecordedRun(40..<50, .succeeded), RecordedRun(60..<70, .succeeded),
            ])
        let held = SampleFlow(windows: [0..<10], runs: [RecordedRun(nil, .succeeded)])
        let broken = SampleFlow(windows: [0..<10, 5..<15])
        func plan(_ flows: [SampleFlow]) -> Plan {
            Plan(asOf: Timestamp(seconds: 1000), target: target, manifests: [], flows: flows.map(\.plan))
        }
        let expected: PlanCounts = [
            .create: 1, .windows: 1, .retry: 1, .rerun: 1, .held: 1, .recorded: 1, .undeclared: 2, .warnings: 1,
        ]
        #expect(plan([fine, held]).counts == expected)
        #expect(plan([fine, held]).counts.requests == 3)
        #expect(plan([fine, held]).isApplicable)
        #expect(!plan([fine, broken, held]).isApplicable)
        #expect(plan([broken]).counts[.errors] == 1)
    }
}
