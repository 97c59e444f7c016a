import FlowRuns
import Synchronization
import Text

/// The format of an exported ledger: JSON Lines, in which unknown members are omitted.
///
/// ```json
/// {"kind":"ledger","formatVersion":2,"target":"https://… 1234@AdobeOrg prod"}
/// {"kind":"flow","flow":"3abe…","revision":3,"contactedAt":1651587212543}
/// {"kind":"run","flow":"3abe…","window":{"start":1651584991,"end":1651588591},"attempt":1,"state":"accepted",…}
/// {"kind":"end","flows":1,"runs":1}
/// ```
///
/// The last line distinguishes a complete export from a truncated one. Importing a truncated ledger would request runs
/// again.
package enum LedgerExport {
    /// The version of the format. Increased when older versions of Sluice cannot read the format.
    package static let formatVersion = 2
    /// Versions that can be imported. Version 1 has no claims, and fewer members per flow.
    package static let readableVersions = 1...2

    package static func header(target: String) -> [UInt8] {
        ExportedLine.ledger(formatVersion: formatVersion, target: target).bytes
    }

    package static func line(_ record: FlowRecord) -> [UInt8] { ExportedLine.flow(record).bytes }
    package static func line(_ entry: LedgerEntry) -> [UInt8] { ExportedLine.run(entry).bytes }
}

extension LedgerStore {
    /// Writes the whole ledger line by line, for review and backup: each flow followed by its runs. Equal ledgers give
    /// identical bytes. Each flow is written from one consistent snapshot, with only a part of it in memory.
    ///
    /// - Parameters:
    ///   - target: the target's identity, which an import compares with its own.
    ///   - report: receives the number of written flows and the total.
    ///   - write: receives chunks of lines, in consecutive calls.
    /// - Throws: ``LedgerError`` when the ledger cannot be read, and the errors of `write`.
    package func export(
        target: String, report: (Int, Int) -> Void = { _, _ in }, write: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        let lines = ExportWriter(write)
        try lines.add(.ledger(formatVersion: LedgerExport.formatVersion, target: target))
        let flows = try await flows().map(\.id)
        for (index, flow) in flows.enumerated() {
            try await scan(flow) { lines.add($0) }
            try lines.check()
            report(index + 1, flows.count)
        }
        try lines.add(.end(flows: flows.count, runs: lines.runCount))
        try lines.finish()
    }
}

/// A buffer that collects lines and writes them in chunks.
private final class ExportWriter: Sendable {
    private struct State {
        var json = JSONText()
        /// The flow whose lines are being written.
        var flow: FlowID?
        var runCount = 0
        var failure: (any Error)?
    }

    private static let size = 1 << 16
    private let write: @Sendable ([UInt8]) throws -> Void
    private let state = Mutex(State())

    init(_ write: @escaping @Sendable ([UInt8]) throws -> Void) { self.write = write }

    var runCount: Int { state.withLock { $0.runCount } }

    func add(_ line: ExportedLine) throws {
        state.withLock { line.write(to: &$0.json) }
        try check()
    }

    /// - Returns: whether to continue; `false` after a write error.
    func add(_ part: FlowEntries) -> Bool {
        state.withLock { state in
            if state.flow != part.record.id { ExportedLine.flow(part.record).write(to: &state.json) }
            state.flow = part.record.id
            for entry in part.entries {
                ExportedLine.run(entry).write(to: &state.json)
                if state.json.bytes.count >= Self.size { handOver(&state) }
            }
            state.runCount += part.entries.count
            return state.failure == nil
        }
    }

    func check() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    func finish() throws {
        state.withLock { handOver(&$0) }
        try check()
    }

    private func handOver(_ state: inout State) {
        guard state.failure == nil else { return }
        do { try write(state.json.drain()) } catch { state.failure = error }
    }
}
