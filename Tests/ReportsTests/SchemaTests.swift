import FlowRuns
import Ledger
import RunRequests
import TestSupport
import Testing

@testable import Reports

@Suite("Agreement of JSON output and schemas")
struct SchemaTests {
    private func expectFit(_ schema: String, _ outputs: [[UInt8]]) throws {
        let faults = try SchemaValidator.faults(in: outputs.map { .init(schema, text($0)) })
        #expect(faults.compactMap(\.self) == [])
        // Guards against a schema that accepts anything.
        let strange = outputs.map { text($0).replacing("\"formatVersion\"", with: "\"formVersion\"") }
        #expect(try SchemaValidator.faults(in: strange.map { .init(schema, $0) }).allSatisfy { $0 != nil })
    }

    @Test("plans of every kind match the schema")
    func plans() throws {
        let plans = [
            Sample.everything, Sample.plan([]),
            Sample.plan([Sample.broken, Sample.local, Sample.postponed, Sample.newestFirst, Sample.batched]),
            Sample.plan([Sample.firstRun], wireForm: WireForm(times: .milliseconds, startTime: .now)),
        ]
        try expectFit("plan", plans.map(planJSON))
    }

    @Test("a history and an empty history match the schema")
    func history() throws {
        let histories = [Sample.entries, []].map { Array(HistoryReport($0).written(.json).utf8) }
        try expectFit("history", histories)
    }
}
