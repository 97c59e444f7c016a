import FlowRuns
import Synchronization
import Testing
import Text

@testable import Ledger

@Suite("Run lines of an export")
struct ExportedRunTests {
    static let texts = [
        "", "late files", #"{"id":"a","etag":"\"x\""}"#, "two\nlines\tand\\a tab\r", "Ägypten 🧪", "##[error] #1",
        "\u{7F}\u{1}\u{202E}",
    ]

    /// Creates a random row.
    static func entry(_ random: inout SeededGenerator) -> LedgerEntry {
        func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
        func text() -> String { texts.randomElement(using: &random)! }
        func number() -> Int64 { [0, 1, -1, 1_651_584_991_000, .max, .min].randomElement(using: &random)! }
        func time() -> Timestamp { Timestamp(milliseconds: number()) }
        let state = RunState.allCases.randomElement(using: &random)!
        let isOurs = !state.isAccepted || Bool.random(using: &random)
        let start = Int64.random(in: -5...2_000_000_000, using: &random)
        let window = Window(startSeconds: start, endSeconds: start + 1)
        return LedgerEntry(
            run: RecordedRun(
                identity: RunIdentity(
                    flow: Sample.flow, window: isOurs ? window : maybe(window!), rerun: maybe("fix-\(text())"),
                    attempt: Int.random(in: 1...12, using: &random)),
                state: state, origin: isOurs ? .request : .service,
                id: state.isAccepted ? RunID("3fb0418e-\(text())") : nil,
                deltaColumn: isOurs
                    ? maybe(DeltaColumn(name: text(), dateFormat: maybe(text()), timezone: maybe(text()))) : nil,
                recordedAt: time(), failure: maybe(text()),
                claim: maybe(
                    RunClaim(
                        id: ClaimID("c1")!, owner: text(), time: maybe(ServiceTime(earliest: time(), latest: time()))))),
            request: maybe(text()), response: maybe(text()), status: maybe(text()),
            counts: RunCounts(
                inputRecords: maybe(number()), outputRecords: maybe(number()), failedRecords: maybe(number()),
                inputFiles: maybe(number())),
            updatedAt: time(),
            provenance: Provenance(
                file: maybe(text()), line: maybe(7), commit: maybe(text()), author: maybe(text()), ciRun: maybe(text()),
                reason: maybe(text())))
    }

    @Test("lines are read back unchanged, and a modified line is refused unless it is canonical")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let entry = Self.entry(&random)
            var line = Array(LedgerExport.line(entry).dropLast())
            let text = String(decoding: line, as: UTF8.self)
            #expect((try? ExportedLine(line, of: Sample.flow)) == .run(entry), "\(text)")
            #expect((try? ExportedLine(line)) == .run(entry), "\(text)")
            // Corrupts the line: swaps two bytes, removes one or changes one.
            let place = line.indices.randomElement(using: &random)!
            switch Int.random(in: 0..<3, using: &random) {
            case 0: line.swapAt(place, line.indices.randomElement(using: &random)!)
            case 1: line.remove(at: place)
            default: line[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let read = try? ExportedLine(line, of: Sample.flow) else { continue }
            #expect(read.bytes.dropLast() == line[...], "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test(
        "an error names the key and what is wrong",
        arguments: [
            (
                #""attempt":1,"state":"rejected""#, #""state":"rejected","attempt":1"#,
                "keys are out of order: 'state' before 'attempt'"
            ),
            (#""attempt":1"#, #""attempt":1,"attempt":1"#, "'attempt' is repeated"),
            (#""attempt":1,"#, "", "'attempt' is missing"),
            (#""start":1,"#, "", "'window.start' is missing"),
            (#""attempt":1"#, #""attempt":"1""#, "'attempt' is not a whole number"),
            (#""attempt":1"#, #""attempt":1.5"#, "'attempt' is not a whole number"),
            (#""state":"rejected""#, #""state":null"#, "'state' is not a string"),
            (#""state":"rejected""#, #""state":"eaten""#, "'state' has an invalid value"),
            (#"{"start":1,"end":2}"#, "7", "'window' is not an object"),
            (#""attempt":1"#, #""attempt":1,"colour":2"#, "unknown key 'colour'"),
            (#""attempt":1"#, #""attempt":01"#, "not in canonical form from column 100 on"),
            (#""attempt":1"#, #""attempt": 1"#, "not canonical JSON at column 100"),
            (#""updatedAt":1}"#, #""updatedAt":1"#, "the line is cut off"),
            (#""updatedAt":1}"#, #""updatedAt":1}}"#, "not canonical JSON at column 169"),
            (#""rejected""#, #""r\u0065jected""#, "not in canonical form from column 112 on"),
        ])
    func errors(part: String, replacement: String, message: String) {
        let line =
            #"{"kind":"run","flow":"\#(Sample.flow)","window":{"start":1,"end":2},"attempt":1,"state":"rejected","#
            + #""origin":"request","recordedAt":1,"updatedAt":1}"#
        let error = #expect(throws: ExportedLine.LineError.self) {
            try ExportedLine(line.replacing(part, with: replacement).utf8, of: Sample.flow)
        }
        #expect(error?.message == message)
    }

    @Test("an import reports at most 20 errors, and counts all of them")
    func manyErrors() {
        let lines = [#"{"kind":"ledger","formatVersion":2,"target":"t"}"#] + Array(repeating: "nonsense", count: 30)
        let error = #expect(throws: LedgerImportError.self) {
            try LedgerImport(Array(lines.joined(separator: "\n").utf8), targets: ["t"])
        }
        guard case .lines(let lines) = error else { return }
        let text = lines.inWords(file: "x.jsonl:")
        #expect(text.count == 21)
        #expect(text.first == "x.jsonl:2: not a JSON object")
        // The missing last line is an error too.
        #expect(text.last == "… and 11 more")
    }

    @Test("lines are found with any chunk size", arguments: [1, 7, 64, 1_000])
    func parts(size: Int) async throws {
        let store = InMemoryStore()
        for number in 0..<9 { try await store.bring(Sample.identity(Int64(number)), to: .rejected) }
        let bytes = try await store.exported()
        let text = String(decoding: bytes, as: UTF8.self).replacing("\n", with: "\r\n")
        for bytes in [bytes, Array(text.utf8), Array(bytes.dropLast())] {
            let backup = try LedgerImport(InParts(bytes: bytes, size: size), targets: [Sample.target])
            let copy = InMemoryStore()
            try await backup.restore(into: copy) { "x" }
            #expect(try await copy.entries(of: Sample.flow).entries == store.entries(of: Sample.flow).entries)
        }
    }

    @Test("an export that changes after its validation is not imported")
    func changed() async throws {
        let store = InMemoryStore()
        for number in 0..<9 { try await store.bring(Sample.identity(Int64(number)), to: .rejected) }
        let bytes = Changing(bytes: try await store.exported())
        let backup = try LedgerImport(bytes, targets: [Sample.target])
        bytes.isChanged.withLock { $0 = true }
        let copy = InMemoryStore()
        await #expect(throws: LedgerImportError.unreadable("it changed while it was imported")) {
            try await backup.restore(into: copy) { "x" }
        }
        #expect(try copy.flows().isEmpty)
    }
}

private struct InParts: ExportBytes {
    let bytes: [UInt8]
    let size: Int

    func read(from offset: Int, count: Int) -> [UInt8] { bytes.read(from: offset, count: min(size, count)) }
}

private final class Changing: ExportBytes {
    let bytes: [UInt8]
    let isChanged = Mutex(false)

    init(bytes: [UInt8]) { self.bytes = bytes }

    func read(from offset: Int, count: Int) -> [UInt8] {
        let part = bytes.read(from: offset, count: count)
        return isChanged.withLock { $0 } ? part.map { $0 == UInt8(ascii: "j") ? UInt8(ascii: "k") : $0 } : part
    }
}
