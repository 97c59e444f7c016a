import FlowRuns
import Ledger
import Testing

@Suite("Export and import")
struct ExportTests {
    @Test("an export reads line by line, each flow before its runs")
    func form() async throws {
        let ledger = InMemoryLedger()
        let column = DeltaColumn(name: "DOB", timezone: "UTC")
        _ = try ledger.claim(Sample.claim(Sample.identity(1, rerun: "fix"), column: column))
        try ledger.observe(
            Sample.observation(
                [Sample.observed("a", nil, counts: RunCounts(inputFiles: 1))], of: Sample.flow(2)))
        let text = String(decoding: try await ledger.exported(), as: UTF8.self)
        let (first, second) = (Sample.flow.description, Sample.flow(2).description)
        let expected = """
            {"kind":"ledger","formatVersion":1,"target":"\(Sample.target)"}
            {"kind":"flow","flow":"\(first)","revision":1}
            {"kind":"run","flow":"\(first)","window":{"start":100,"end":200},"rerun":"fix","attempt":1,\
            "state":"intended","origin":"request","deltaColumn":{"name":"DOB","timezone":"UTC"},\
            "recordedAt":1700000000000,"request":"POST /runs {}","updatedAt":1700000000000,\
            "provenance":{"file":"crm.yaml","line":7,"commit":"c0ffee","author":"ada","ciRun":"https://ci/1"}}
            {"kind":"flow","flow":"\(second)","revision":1,"contactedAt":1700000000000}
            {"kind":"run","flow":"\(second)","attempt":1,"state":"accepted","origin":"service","run":"a",\
            "recordedAt":1700000000000,"status":"inProgress","counts":{"inputFiles":1},"updatedAt":1700000000000}
            {"kind":"end","flows":2,"runs":2}

            """
        #expect(text == expected)
    }

    static let flow = #"{"kind":"flow","flow":"00000000-0000-4000-8000-000000000001","revision":1}"#

    static func run(_ members: String) -> String {
        #"{"kind":"run","flow":"00000000-0000-4000-8000-000000000001","# + members
            + #","recordedAt":1,"request":"POST","updatedAt":1}"#
    }

    static let claimed = run(
        #""window":{"start":1,"end":2},"attempt":1,"state":"intended","origin":"request""#)

    @Test(
        "every fault is told with its line",
        arguments: [
            (["nonsense"], 2, "it is not JSON"),
            (["", flow], 2, "it is not JSON"),
            (["[]"], 2, "it is not a JSON object"),
            (["{}"], 2, "'kind' is missing"),
            ([#"{"kind":"toy"}"#], 2, "'kind' has a value that is unknown"),
            ([#"{"kind":"flow","flow":"x","revision":1}"#], 2, "'flow' is not a UUID"),
            ([flow.replacing("1}", with: "0}")], 2, "'revision' counts from 1"),
            ([flow.replacing("1}", with: "\"1\"}")], 2, "'revision' is of the wrong type"),
            (
                [flow.replacing("1}", with: "1,\"colour\":2}")], 2,
                "it is not written as an export writes it"
            ),
            ([flow, flow], 3, "the flow stands in line 2, too"),
            ([claimed], 2, "its flow does not stand before it"),
            ([flow, claimed, claimed], 4, "the run stands in line 3, too"),
            (
                [flow, claimed, claimed.replacing("\"attempt\":1", with: "\"attempt\":2")], 4,
                "line 3 has a request for this window, too, that has not failed"
            ),
            (
                [flow, claimed.replacing("\"end\":2", with: "\"end\":1")], 3,
                "'window' ends before it starts"
            ),
            ([flow, claimed.replacing("intended", with: "eaten")], 3, "'state' is unknown"),
            (
                [flow, claimed.replacing("intended", with: "accepted")], 3,
                "the run is impossible: accepted, but without a run id"
            ),
            (
                [flow, claimed.replacing("\"window\":{\"start\":1,\"end\":2},", with: "")], 3,
                "without a window"
            ),
            (
                [flow, #"{"kind":"end","flows":1,"runs":1}"#], 3,
                "1 flows and 1 runs should stand before it, not 1 and 0"
            ),
            ([#"{"kind":"end","flows":0,"runs":0}"#, flow], 3, "the export has ended before it"),
            ([flow, claimed], 4, "the export is cut off"),
        ])
    func faults(lines: [String], line: Int, message: String) async throws {
        let header = #"{"kind":"ledger","formatVersion":1,"target":"\#(Sample.target)"}"#
        let text = ([header] + lines).joined(separator: "\n")
        let error = #expect(throws: LedgerImportError.self) {
            try LedgerImport(Array(text.utf8), target: Sample.target)
        }
        guard case .faults(let faults) = error else { return }
        #expect(faults.contains { $0.line == line && $0.message.contains(message) }, "\(faults)")
    }

    @Test(
        "another format and another target are refused, and nothing else is said",
        arguments: [
            (#"{"kind":"ledger","formatVersion":2,"target":"t"}"#, "its format has version 2"),
            (
                #"{"kind":"ledger","formatVersion":1,"target":"other"}"#,
                "the ledger of the target 'other', not of 't'"
            ),
            (flow, "it is not the first line of an exported ledger"),
            ("", "it is not JSON"),
        ])
    func header(line: String, message: String) throws {
        let error = #expect(throws: LedgerImportError.self) {
            try LedgerImport(Array((line + "\nnonsense\n").utf8), target: "t")
        }
        guard case .faults(let faults) = error else { return }
        #expect(faults.count == 1)
        #expect(faults.first?.line == 1)
        #expect(faults.first?.message.contains(message) == true)
    }

    @Test("nothing at all is no export")
    func nothing() {
        #expect(throws: LedgerImportError.self) { try LedgerImport([], target: "t") }
    }

    @Test(
        "an import that disagrees with the ledger names its lines and changes nothing",
        arguments: StoreKind.allCases)
    func conflict(kind: StoreKind) async throws {
        let (ledger, other) = (try kind.make().open(), InMemoryLedger())
        try await ledger.bring(Sample.identity(1), to: .rejected)
        try await other.bring(Sample.identity(1), to: .accepted)
        try await other.bring(Sample.identity(1, of: Sample.flow(2)), to: .intended)
        let before = try await ledger.exported()
        let backup = try LedgerImport(try await other.exported(), target: Sample.target)
        let error = await #expect(throws: LedgerImportError.self) {
            try await backup.restore(into: ledger)
        }
        #expect(error?.description == "line 3: the ledger has this run otherwise (rejected)")
        await #expect(throws: LedgerError.self) {
            try await ledger.restore(backup.flows.reversed(), backup.entries)
        }
        #expect(try await ledger.exported() == before)
    }

    @Test("rows added to a flow that was known make its plans stale", arguments: StoreKind.allCases)
    func growth(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.bring(Sample.identity(1), to: .intended)
        let known = try await ledger.record(of: Sample.flow)
        let more = LedgerEntry(Sample.claim(Sample.identity(2)))
        try await ledger.restore([known], [more])
        let grown = try await ledger.record(of: Sample.flow)
        #expect(grown.revision == known.revision + 1)
        try await ledger.restore([grown], [more])
        #expect(try await ledger.record(of: Sample.flow) == grown)
        #expect(try await ledger.runs(of: Sample.flow).count == 2)
    }
}
