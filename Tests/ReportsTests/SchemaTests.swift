import FlowRuns
import Ledger
import RunRequests
import TestSupport
import Testing

@testable import Reports

@Suite("what is written as JSON fits its schema")
struct SchemaTests {
    private func expectFit(_ schema: String, _ outputs: [[UInt8]]) throws {
        let faults = try SchemaValidator.faults(in: outputs.map { .init(schema, text($0)) })
        #expect(faults.compactMap(\.self) == [])
        // A schema that takes anything would say nothing.
        let strange = outputs.map { text($0).replacing("\"formatVersion\"", with: "\"formVersion\"") }
        #expect(try SchemaValidator.faults(in: strange.map { .init(schema, $0) }).allSatisfy { $0 != nil })
    }

    @Test("plans of every kind")
    func plans() throws {
        let plans = [
            Sample.everything, Sample.plan([]),
            Sample.plan([Sample.broken, Sample.local, Sample.postponed, Sample.newestFirst, Sample.batched]),
            Sample.plan([Sample.firstRun], wireForm: WireForm(times: .milliseconds, startTime: .now)),
        ]
        try expectFit("plan", plans.map(planJSON))
    }

    @Test("a history, and an empty one")
    func history() throws {
        let histories = [Sample.entries, []].map { Array(HistoryReport($0).written(.json).utf8) }
        try expectFit("history", histories)
    }
}
