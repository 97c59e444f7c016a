import FlowRuns
import Foundation
import Ledger
import Synchronization

/// An exported ledger in today's format, or in that of the first version, which knew no claims.
struct SimulatedExport {
    private let contents: InMemoryContents
    private let random: SimulationRandom
    private static let target = "simulated"

    init(of contents: InMemoryContents, _ random: SimulationRandom) {
        self.contents = contents
        self.random = random
    }

    /// - Returns: what became of it, in words.
    func restore(into other: InMemoryContents) async -> String {
        do {
            let version = random.pick([1, 2, 2])
            let bytes = try await bytes(version)
            let file = try LedgerImport(bytes, targets: [Self.target])
            try await file.restore(into: InMemoryStore(other)) { String(random.number(), radix: 36) }
            return "version \(version), \(file.runCount) runs"
        } catch { return "refused: \(error)" }
    }

    private func bytes(_ version: Int) async throws -> [UInt8] {
        let bytes = Mutex<[UInt8]>([])
        try await InMemoryStore(contents).export(target: Self.target) { part in bytes.withLock { $0 += part } }
        var text = String(decoding: bytes.withLock { $0 }, as: UTF8.self)
        guard version == 1 else { return Array(text.utf8) }
        text = text.replacing("\"formatVersion\":2", with: "\"formatVersion\":1")
        // The members that came with version 2.
        text = text.replacing(#/,"claim":\{[^}]*\}/#, with: "")
        for member in ["token", "comparedAt", "newestRunAt", "needsRecheck"] {
            text = text.replacing(try Regex(#","\#(member)":("[^"]*"|[0-9]+|true)"#), with: "")
        }
        return Array(text.utf8)
    }
}
