import FlowRuns
import Ledger
import Synchronization
import Testing

@Suite("Export and import")
struct ExportTests {
    @Test("an export has one line per row, each flow before its runs")
    func form() async throws {
        let store = InMemoryStore()
        var ledger = FlowLedger()
        try ledger.claim(
            Sample.claim(Sample.identity(1, rerun: "fix"), column: DeltaColumn(name: "DOB", timezone: "UTC")))
        _ = try store.commit(ledger.commit(nonce: "n1"))
        var other = FlowLedger(of: Sample.flow(2))
        let seen = ObservedRun(
            id: Sample.run("a"), window: nil, createdAt: Sample.now, status: "inProgress", end: nil,
            counts: RunCounts(inputFiles: 1))
        _ = try other.observe(
            Sample.listing([seen], after: .zero),
            settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle), at: Sample.now)
        _ = try store.commit(other.commit(nonce: "n2"))
        let text = String(decoding: try await store.exported(), as: UTF8.self)
        let (first, second) = (Sample.flow.description, Sample.flow(2).description)
        let expected = """
            {"kind":"ledger","formatVersion":2,"target":"\(Sample.target)"}
            {"kind":"flow","flow":"\(first)","revision":1,"token":"n1"}
            {"kind":"run","flow":"\(first)","window":{"start":100,"end":200},"rerun":"fix","attempt":1,\
            "state":"intended","origin":"request","deltaColumn":{"name":"DOB","timezone":"UTC"},\
            "recordedAt":1700000000000,"request":"POST /runs {}","updatedAt":1700000000000,\
            "provenance":{"file":"crm.yaml","line":7,"commit":"c0ffee","author":"ada","ciRun":"https://ci/1",\
            "reason":"late files"},\
            "claim":{"id":"c1","owner":"host:1","earliest":1700000000000,"latest":1700000001000}}
            {"kind":"flow","flow":"\(second)","revision":1,"contactedAt":1700000000000,"token":"n2",\
            "comparedAt":1700000000000,"newestRunAt":1700000000000}
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
        "each error is reported with its line",
        arguments: [
            (["nonsense"], 2, "not a JSON object"),
            (["", flow], 2, "not a JSON object"),
            (["[]"], 2, "not a JSON object"),
            (["{}"], 2, "'kind' is missing"),
            ([#"{"kind":"toy"}"#], 2, "'kind' is unknown: 'toy'"),
            ([#"{"kind":"flow","flow":"x","revision":1}"#], 2, "'flow' is not a UUID"),
            ([flow.replacing("1}", with: "0}")], 2, "'revision' counts from 1"),
            ([flow.replacing("1}", with: "\"1\"}")], 2, "'revision' is not a whole number"),
            ([flow.replacing("1}", with: "1,\"colour\":2}")], 2, "unknown key 'colour'"),
            ([flow, flow], 3, "the flow is already in line 2"),
            ([claimed], 2, "the run's flow is not on an earlier line"),
            ([flow, claimed, claimed], 4, "the run is already in line 3"),
            (
                [flow, claimed, claimed.replacing("\"attempt\":1", with: "\"attempt\":2")], 4,
                "line 3 has an active or succeeded request for this window"
            ),
            (
                [flow, claimed.replacing("1,\"end\":2", with: "3,\"end\":4"), claimed], 4,
                "runs are out of order: this one belongs before line 3"
            ),
            (
                [flow, claimed.replacing("\"end\":2", with: "\"end\":1")], 3,
                "'window' ends before it starts"
            ),
            ([flow, claimed.replacing("intended", with: "eaten")], 3, "'state' has an invalid value"),
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
                "expected 1 flows and 1 runs, found 1 and 0"
            ),
            ([#"{"kind":"end","flows":0,"runs":0}"#, flow], 3, "the export has ended before this line"),
            ([flow, claimed], 4, "the export is cut off"),
        ])
    func errors(lines: [String], line: Int, message: String) async throws {
        let header = #"{"kind":"ledger","formatVersion":1,"target":"\#(Sample.target)"}"#
        let text = ([header] + lines).joined(separator: "\n")
        let error = #expect(throws: LedgerImportError.self) {
            try LedgerImport(Array(text.utf8), targets: [Sample.target])
        }
        guard case .lines(let errors) = error else { return }
        #expect(errors.first.contains { $0.line == line && $0.message.contains(message) }, "\(errors)")
    }

    @Test(
        "an export of another format or target is refused without further errors",
        arguments: [
            (#"{"kind":"ledger","formatVersion":3,"target":"t"}"#, "format version 3 is not supported"),
            (
                #"{"kind":"ledger","formatVersion":1,"target":"other"}"#,
                "the ledger of the target 'other', not of 't'"
            ),
            (flow, "not the first line of an exported ledger"),
            ("", "not a JSON object"),
        ])
    func header(line: String, message: String) throws {
        let error = #expect(throws: LedgerImportError.self) {
            try LedgerImport(Array((line + "\nnonsense\n").utf8), targets: ["t"])
        }
        guard case .lines(let errors) = error else { return }
        #expect(errors.count == 1)
        #expect(errors.first.first?.line == 1)
        #expect(errors.first.first?.message.contains(message) == true)
    }

    @Test("an empty file is not an export")
    func nothing() {
        #expect(throws: LedgerImportError.self) { try LedgerImport([], targets: ["t"]) }
    }

    @Test("an import that contradicts the ledger names the lines and changes nothing", arguments: StoreKind.allCases)
    func conflict(kind: StoreKind) async throws {
        let place = try await kind.make()
        let (store, other) = (try await place.open(), InMemoryStore())
        try await store.bring(Sample.identity(1), to: .rejected)
        try await other.bring(Sample.identity(1), to: .accepted)
        try await other.bring(Sample.identity(1, of: Sample.flow(2)), to: .intended)
        let before = try await store.exported()
        let backup = try LedgerImport(try await other.exported(), targets: [Sample.target])
        let error = await #expect(throws: LedgerImportError.self) { try await backup.restore(into: store) { "x" } }
        #expect(error?.description == "line 3: the ledger has another record of this run (rejected)")
        #expect(try await store.exported() == before)
    }

    @Test("an import is complete and idempotent, and requires a recheck of its flows", arguments: StoreKind.allCases)
    func restored(kind: StoreKind) async throws {
        let place = try await kind.make()
        let (store, other) = (try await place.open(), InMemoryStore())
        for (number, state) in RunState.allCases.enumerated() where !state.isDoubtful {
            try await other.bring(Sample.identity(Int64(number)), to: state)
        }
        let backup = try LedgerImport(try await other.exported(), targets: ["before", Sample.target])
        try await backup.restore(into: store) { "x" }
        let record = try await store.snapshot(of: Sample.flow).record
        #expect(record.needsRecheck && record.contactedAt == nil)
        #expect(try await store.entries(of: Sample.flow).entries == other.entries(of: Sample.flow).entries)
        let once = try await store.exported()
        try await backup.restore(into: store) { "y" }
        #expect(try await store.exported() == once)
        #expect(try await store.verify().isEmpty)
    }

    @Test("an import adds the runs of a flow that are missing from the ledger", arguments: StoreKind.allCases)
    func completed(kind: StoreKind) async throws {
        let place = try await kind.make()
        let (store, other) = (try await place.open(), InMemoryStore())
        for number in 1...4 { try await other.bring(Sample.identity(Int64(number)), to: .rejected) }
        let whole = try await other.entries(of: Sample.flow)
        let record = FlowRecord(id: Sample.flow, revision: Revision(number: whole.record.revision.number, token: "a"))
        let changes = [1, 3].map { LedgerChange.insert(whole.entries[$0]) }
        #expect(
            try await store.commit(FlowCommit(expecting: Revision(), record: record, changes: changes)) == .done)
        let backup = try LedgerImport(try await other.exported(), targets: [Sample.target])
        try await backup.restore(into: store) { "x" }
        let restored = try await store.entries(of: Sample.flow)
        #expect(restored.entries == whole.entries)
        #expect(restored.record.revision.number == record.revision.number + 1 && restored.record.needsRecheck)
    }

    @Test("an export of format version 1 is read")
    func firstFormat() async throws {
        let text = """
            {"kind":"ledger","formatVersion":1,"target":"t"}
            \(Self.flow)
            \(Self.claimed)
            {"kind":"end","flows":1,"runs":1}

            """
        let backup = try LedgerImport(Array(text.utf8), targets: ["t"])
        let store = InMemoryStore()
        try await backup.restore(into: store) { "x" }
        let entry = try await store.entries(of: Sample.flow).entries.first
        #expect(entry?.run.state == .intended)
        #expect(entry?.run.claim == nil)
    }
}

extension LedgerStore {
    func exported() async throws -> [UInt8] {
        let bytes = Mutex<[UInt8]>([])
        try await export(target: Sample.target) { part in bytes.withLock { $0 += part } }
        return bytes.withLock { $0 }
    }

    func bring(_ identity: RunIdentity, to state: RunState) async throws {
        var ledger = FlowLedger(try await snapshot(of: identity.flow))
        try ledger.bring(identity, to: state)
        _ = try await commit(ledger.commit(nonce: "\(identity)"))
    }
}
