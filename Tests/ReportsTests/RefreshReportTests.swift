import FlowRuns
import Manifests
import TestSupport
import Testing

@testable import Reports

@Suite("Refresh reports")
struct RefreshReportTests {
    private static let outcomes: [RefreshReport.Outcome] = [
        .read([.read: 16, .new: 2, .ended: 4, .inDoubt: 1]), .absent, .failed("the service answered 503"), .stopped,
    ]

    private static var report: RefreshReport {
        let flows = outcomes.enumerated().map { index, outcome in
            RefreshReport.Flow(
                id: Sample.flowID(index + 1), name: index == 0 ? "contacts" : nil, outcome: outcome,
                diagnostics: index == 0
                    ? [Diagnostic(.deltaColumnFixed, at: Sample.place(4), "fixed at DOB", suggestion: "write DOB")] : []
            )
        }
        return RefreshReport(target: "prod", flows: flows)
    }

    @Test("the text has one line, the JSON one object per flow")
    func formats() throws {
        #expect(Self.report.written() == "refreshed 1 flow: 16 runs read, 2 new, 4 ended since the last refresh\n")
        try expectGolden(Self.report.written(.json), "refresh.json")
        #expect(try SchemaValidator.faults(in: [.init("refresh", Self.report.written(.json))]) == [nil])
    }
}
