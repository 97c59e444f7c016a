import FlowRuns
import Foundation
import Ledger
import Manifests
import SQLiteLedger
import Synchronization

/// The input of the benchmarks: one flow with `count` windows, as manifest, ledger and export, created on first use.
final class Samples {
    static let target = "benchmarks"
    static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    /// A time by which every window has ended.
    static let now = Timestamp(seconds: 4_000_000_000)
    private static let first: Int64 = 1_000_000_800

    let count: Int
    let folder: URL
    private var knownLedger: String?

    init(_ count: Int, in folder: URL) {
        self.count = count
        self.folder = folder
    }

    /// A manifest with explicit windows.
    lazy var explicit: SourceFile = {
        var windows = "      windows:\n"
        for start in (0..<count).lazy.map({ Self.first + Int64($0) * 600 }) {
            windows += "        - {start: \(start), end: \(start + 600)}\n"
        }
        return Self.manifest(windows)
    }()

    /// A manifest with the same windows as a series.
    lazy var series: SourceFile = {
        let (from, until) = (
            Timestamp(seconds: Self.first), Timestamp(seconds: Self.first + Int64(count) * 600)
        )
        return Self.manifest("      series:\n        - {every: PT10M, from: \(from), until: \(until)}\n")
    }()

    /// Returns the path of a ledger with a succeeded run of every window.
    func ledger() async throws -> String {
        if let knownLedger { return knownLedger }
        let path = newFile()
        try await importExport(into: newLedger(path))
        knownLedger = path
        return path
    }

    func newFile() -> String { folder.appending(path: "\(UUID().uuidString).sqlite").path }

    func newLedger(_ path: String) throws -> any LedgerStore {
        try SQLiteLedger.open(path: path, targets: [Self.target], mode: .readWrite)
    }

    /// The path of the export of that ledger.
    private lazy var export = Result {
        let path = folder.appending(path: "export.jsonl").path
        try Self.writeExport(count, first: Self.first, to: path)
        return path
    }

    func importExport(into store: some LedgerStore) async throws {
        let bytes = try MappedFile(export.get())
        try await LedgerImport(bytes, targets: [Self.target]).restore(into: store) { UUID().uuidString }
        await store.close()
    }

    private static func manifest(_ windows: String) -> SourceFile {
        let text = """
            apiVersion: sluice/v1
            kind: Target
            metadata: {name: \(target)}
            spec: {service: embedded, organization: 1234@AdobeOrg, sandbox: prod, ledger: "sqlite:ledger.sqlite"}
            ---
            apiVersion: sluice/v1
            kind: RunManifest
            metadata: {name: benchmarks, owner: data-platform}
            spec:
              target: \(target)
              flows:
                - flowId: \(flow)
                  source: table
                  deltaColumn: {name: DOB}

            """
        return SourceFile(path: "flows.yaml", bytes: Array((text + windows).utf8))
    }

    private static func writeExport(_ count: Int, first: Int64, to path: String) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        var lines = LedgerExport.header(target: target)
        lines += LedgerExport.line(FlowRecord(id: flow, revision: Revision(number: count + 1, token: "token")))
        for number in 0..<count {
            let entry = entry(of: flow, number, start: first + Int64(number) * 600)
            lines += LedgerExport.line(entry)
            guard lines.count > 1 << 20 else { continue }
            try file.write(contentsOf: lines)
            lines = []
        }
        try file.write(contentsOf: lines + Array("{\"kind\":\"end\",\"flows\":1,\"runs\":\(count)}\n".utf8))
        try file.close()
    }

    static func entry(of flow: FlowID, _ number: Int, start: Int64, seconds: Int64 = 600) -> LedgerEntry {
        // Run IDs in random order, like those of the service.
        let digits = String(UInt64(number) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        let bits = String(repeating: "0", count: 16 - digits.count) + digits
        let id = "\(bits.prefix(8))-\(bits.dropFirst(8).prefix(4))-4\(bits.suffix(3))-8000-0123456789ab"
        let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number))
        let claim = RunClaim(
            id: ClaimID(random: UInt64(number)), owner: "host:4711", time: ServiceTime(earliest: time, latest: time))
        return LedgerEntry(
            run: RecordedRun(
                identity: RunIdentity(flow: flow, window: Window(startSeconds: start, endSeconds: start + seconds)),
                state: .succeeded, id: RunID(id), recordedAt: time, claim: claim),
            request:
                #"POST /runs {"flowId":"\#(flow)","params":{"windowStartTime":"\#(start)","windowEndTime":"\#(start + seconds)"}}"#,
            response: #"201 {"id":"\#(id)","etag":"\"1100c53e-0000-0200-0000-627138980000\""}"#, status: "success",
            counts: RunCounts(inputRecords: 100, outputRecords: 100, failedRecords: 0), updatedAt: time,
            provenance: Provenance(
                file: "flows.yaml", line: number, commit: "0123456789abcdef0123456789abcdef01234567", author: "ada"))
    }
}

/// A memory-mapped file.
struct MappedFile: ExportBytes {
    private let data: Data

    init(_ path: String) throws { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) }

    func read(from offset: Int, count: Int) -> [UInt8] { Array(data.dropFirst(offset).prefix(count)) }
}
