import FlowRuns
import Synchronization

@testable import Ledger

extension FuzzTarget {
    /// Imports a ledger: its export must have the same runs, and importing that export must reproduce it.
    ///
    /// The bytes are also tried with a matching first and last line added.
    static let ledgerImport = FuzzTarget(name: "Import") { bytes in
        for line in bytes.split(separator: UInt8(ascii: "\n")) { try check(line: Array(line)) }
        for bytes in [bytes, framed(bytes)] {
            guard let first = try await exported(bytes) else { continue }
            try expect(runs(of: bytes) == runs(of: first), "it is exported with other runs")
            try expect(try await exported(first) == first, "its export is imported otherwise")
        }
    }

    /// Imports the bytes twice and returns the export; `nil` if they are invalid.
    private static func exported(_ bytes: [UInt8]) async throws -> [UInt8]? {
        guard let file = try? LedgerImport(bytes, targets: ["t"]) else { return nil }
        let store = InMemoryStore()
        try await file.restore(into: store) { "token" }
        try await file.restore(into: store) { "another" }
        _ = try await store.verify()
        let export = Mutex<[UInt8]>([])
        try await store.export(target: "t") { part in export.withLock { $0 += part } }
        return export.withLock { $0 }
    }

    private static func framed(_ bytes: [UInt8]) -> [UInt8] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        func count(_ kind: String) -> Int { lines.count { $0.starts(with: "{\"kind\":\"\(kind)\"".utf8) } }
        let end = "{\"kind\":\"end\",\"flows\":\(count("flow")),\"runs\":\(count("run"))}\n"
        return LedgerExport.header(target: "t") + Array(lines.joined(separator: [UInt8(ascii: "\n")]))
            + Array(((lines.isEmpty ? "" : "\n") + end).utf8)
    }

    private static func runs(of export: [UInt8]) -> [String] {
        export.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: "{\"kind\":\"run\"".utf8) }
            .map { String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self) }.sorted()
    }

    /// Checks that an accepted line is canonical.
    private static func check(line: [UInt8]) throws {
        guard let read = try? ExportedLine(line), case .run = read else { return }
        try expect(read.bytes.dropLast() == line[...], "not canonical: \(String(decoding: line, as: UTF8.self))")
    }
}
