import FlowRuns
import Foundation
import Ledger
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

    @Test("each line of an export matches the schema")
    func export() throws {
        let flow = FlowRecord(
            id: Sample.entries[0].run.flow, revision: Revision(number: 3, token: "a"), contactedAt: .init(seconds: 1),
            deltaColumn: DeltaColumn(name: "DOB", timezone: "UTC"), needsRecheck: true)
        let lines =
            [LedgerExport.header(target: "t"), LedgerExport.line(flow), ExportedLine.end(flows: 1, runs: 2).bytes]
            + Sample.entries.map { LedgerExport.line($0) }
        let faults = try SchemaValidator.faults(in: lines.map { .init("export", text($0)) })
        #expect(faults.compactMap(\.self) == [])
    }

    @Test("the schemas of a history and an export have exactly the ledger's columns")
    func columns() throws {
        let history = try Schema("history")
        history.expect(
            "run",
            history.members(RunColumns.all.filter { $0.object != "claim" }, ["provenance": "declaredBy"])
                + ["flowId", "flowName", "recordedAtUTC", "updatedAtUTC", "minimumRecords"])
        let export = try Schema("export")
        export.expect("flow", export.members(FlowColumns.all) + ["kind", "flow"])
        export.expect("run", export.members(RunColumns.all) + ["kind", "flow"])
        for object in Set(RunColumns.all.compactMap(\.object)) {
            let columns = RunColumns.all.filter { $0.object == object }
            export.expect(object, columns.map(\.key))
            #expect(export.definitions[object]?.required ?? [] == columns.filter(\.isRequired).map(\.key))
            if object != "window", object != "claim" { history.expect(object, columns.map(\.key)) }
        }
        #expect(
            export.definitions["run"]?.required
                == ["kind", "flow"] + RunColumns.all.filter { $0.isRequired && $0.object == nil }.map(\.key))
    }

    /// The definitions of a JSON Schema.
    private struct Schema: Decodable {
        struct Definition: Decodable {
            struct Property: Decodable {}

            let properties: [String: Property]?
            let required: [String]?
        }

        let definitions: [String: Definition]

        private enum CodingKeys: String, CodingKey { case definitions = "$defs" }

        init(_ name: String) throws {
            let file = SchemaValidator.schemas.appending(path: "\(name).schema.json")
            self = try JSONDecoder().decode(Schema.self, from: Data(contentsOf: file))
        }

        func members<Row>(_ columns: [LedgerColumn<Row>], _ renamed: [String: String] = [:]) -> [String] {
            Array(Set(columns.map { column in column.object.map { renamed[$0] ?? $0 } ?? column.key }))
        }

        func expect(_ definition: String, _ members: [String]) {
            let properties = definitions[definition]?.properties?.keys.sorted() ?? []
            #expect(properties == members.sorted(), "\(definition)")
        }
    }
}
