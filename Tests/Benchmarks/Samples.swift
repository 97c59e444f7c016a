import FlowRuns
import Foundation
import Ledger
import Manifests
import SQLiteLedger
import Synchronization

/// The files that are measured: one flow with so many windows, as a manifest, as a ledger and as an export.
struct Samples {
    static let target = "benchmarks"
    static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")

    let count: Int
    /// Every window by itself.
    let explicit: SourceFile
    /// The same windows as a series.
    let series: SourceFile
    /// With a succeeded run of every window.
    let ledger: String
    let export: String
    private let folder: URL

    init(_ count: Int, in folder: URL) async throws {
        self.count = count
        self.folder = folder
        let first = 1_000_000_800
        var windows = "      windows:\n"
        for number in 0..<count {
            windows += "        - {start: \(first + number * 600), end: \(first + number * 600 + 600)}\n"
        }
        explicit = Self.manifest(windows)
        let (from, until) = (Timestamp(seconds: Int64(first)), Timestamp(seconds: Int64(first + count * 600)))
        series = Self.manifest("      series:\n        - {every: PT10M, from: \(from), until: \(until)}\n")

        export = folder.appending(path: "export.jsonl").path
        try Self.writeExport(count, first: Int64(first), to: export)
        ledger = folder.appending(path: "ledger.sqlite").path
        try await importExport(into: ledger)
    }

    func newFile() -> String { folder.appending(path: "\(UUID().uuidString).sqlite").path }

    func importExport(into path: String) async throws {
        let store = try SQLiteLedger.open(path: path, targets: [Self.target], mode: .readWrite)
        let bytes = try MappedFile(export)
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
                - flowId: \(flow?.description ?? "")
                  source: table
                  deltaColumn: {name: DOB}

            """
        return SourceFile(path: "flows.yaml", bytes: Array((text + windows).utf8))
    }

    private static func writeExport(_ count: Int, first: Int64, to path: String) throws {
        guard let flow else { return }
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

    private static func entry(of flow: FlowID, _ number: Int, start: Int64) -> LedgerEntry {
        // In no order, as ids of the service are.
        let digits = String(UInt64(number) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        let bits = String(repeating: "0", count: 16 - digits.count) + digits
        let id = "\(bits.prefix(8))-\(bits.dropFirst(8).prefix(4))-4\(bits.suffix(3))-8000-0123456789ab"
        let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number))
        let claim = RunClaim(
            id: ClaimID(random: UInt64(number)), owner: "host:4711", time: ServiceTime(earliest: time, latest: time))
        return LedgerEntry(
            run: RecordedRun(
                identity: RunIdentity(flow: flow, window: Window(startSeconds: start, endSeconds: start + 600)),
                state: .succeeded, id: RunID(id), recordedAt: time, claim: claim),
            request:
                #"POST /runs {"flowId":"\#(flow)","params":{"windowStartTime":"\#(start)","windowEndTime":"\#(start + 600)"}}"#,
            response: #"201 {"id":"\#(id)","etag":"\"1100c53e-0000-0200-0000-627138980000\""}"#, status: "success",
            counts: RunCounts(inputRecords: 100, outputRecords: 100, failedRecords: 0), updatedAt: time,
            provenance: Provenance(
                file: "flows.yaml", line: number, commit: "0123456789abcdef0123456789abcdef01234567", author: "ada"))
    }
}

/// A file that is read where it lies.
struct MappedFile: ExportBytes {
    private let data: Data

    init(_ path: String) throws { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) }

    func read(from offset: Int, count: Int) -> [UInt8] { Array(data.dropFirst(offset).prefix(count)) }
}
