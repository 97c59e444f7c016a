import FlowRuns
import RunRequests
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

    enum Kind: String, Decodable {
        case ledger
        case flow
        case run
        case end
    }

    static func write(target: String, to json: inout JSONText) {
        line(.ledger, to: &json) {
            $0.member("formatVersion", formatVersion)
            $0.member("target", target)
        }
    }

    static func write(_ record: FlowRecord, to json: inout JSONText) {
        line(.flow, to: &json) {
            $0.member("flow", record.id.description)
            $0.member("revision", record.revision.number)
            $0.member("contactedAt", known: record.contactedAt?.milliseconds)
            $0.column(record.deltaColumn)
            if !record.revision.token.isEmpty { $0.member("token", record.revision.token) }
            $0.member("comparedAt", known: record.comparedAt?.milliseconds)
            $0.member("newestRunAt", known: record.newestRunAt?.milliseconds)
            if record.needsRecheck { $0.member("needsRecheck", true) }
        }
    }

    static func write(_ entry: LedgerEntry, to json: inout JSONText) {
        let (run, counts, provenance) = (entry.run, entry.counts, entry.provenance)
        line(.run, to: &json) {
            $0.member("flow", run.flow.description)
            if let window = run.window {
                $0.object("window") {
                    $0.member("start", window.start.seconds)
                    $0.member("end", window.end.seconds)
                }
            }
            $0.member("rerun", known: run.identity.rerun)
            $0.member("attempt", run.identity.attempt)
            $0.member("state", run.state.rawValue)
            $0.member("origin", run.origin.rawValue)
            $0.member("run", known: run.id?.description)
            $0.column(run.deltaColumn)
            $0.member("recordedAt", run.recordedAt.milliseconds)
            $0.member("failure", known: run.failure)
            $0.member("request", known: entry.request)
            $0.member("response", known: entry.response)
            $0.member("status", known: entry.status)
            if counts != RunCounts() {
                $0.object("counts") {
                    $0.member("inputRecords", known: counts.inputRecords)
                    $0.member("outputRecords", known: counts.outputRecords)
                    $0.member("failedRecords", known: counts.failedRecords)
                    $0.member("inputFiles", known: counts.inputFiles)
                }
            }
            $0.member("updatedAt", entry.updatedAt.milliseconds)
            if provenance != Provenance() {
                $0.object("provenance") {
                    $0.member("file", known: provenance.file)
                    $0.member("line", known: provenance.line)
                    $0.member("commit", known: provenance.commit)
                    $0.member("author", known: provenance.author)
                    $0.member("ciRun", known: provenance.ciRun)
                    $0.member("reason", known: provenance.reason)
                }
            }
            if let claim = run.claim {
                $0.object("claim") {
                    $0.member("id", claim.id.description)
                    $0.member("owner", claim.owner)
                    $0.member("earliest", known: claim.time?.earliest.milliseconds)
                    $0.member("latest", known: claim.time?.latest.milliseconds)
                }
            }
        }
    }

    static func write(endAfter flows: Int, runs: Int, to json: inout JSONText) {
        line(.end, to: &json) {
            $0.member("flows", flows)
            $0.member("runs", runs)
        }
    }

    private static func line(_ kind: Kind, to json: inout JSONText, _ members: (inout JSONText) -> Void) {
        json.object {
            $0.member("kind", kind.rawValue)
            members(&$0)
        }
        json.endLine()
    }

    package static func header(target: String) -> [UInt8] { lines { write(target: target, to: &$0) } }
    package static func line(_ record: FlowRecord) -> [UInt8] { lines { write(record, to: &$0) } }
    package static func line(_ entry: LedgerEntry) -> [UInt8] { lines { write(entry, to: &$0) } }

    static func lines(_ write: (inout JSONText) -> Void) -> [UInt8] {
        var json = JSONText()
        write(&json)
        return json.bytes
    }
}

extension LedgerStore {
    /// Writes the whole ledger line by line, for review and backup: each flow followed by its runs. Equal ledgers give
    /// identical bytes. Each flow is written from one consistent snapshot, with only a part of it in memory.
    ///
    /// - Parameters:
    ///   - target: the target's identity, which an import compares with its own.
    ///   - write: receives chunks of lines, in consecutive calls.
    /// - Throws: ``LedgerError`` when the ledger cannot be read, and the errors of `write`.
    package func export(target: String, write: @escaping @Sendable ([UInt8]) throws -> Void) async throws {
        let lines = ExportWriter(write)
        try lines.add { LedgerExport.write(target: target, to: &$0) }
        let flows = try await flows().map(\.id)
        for flow in flows {
            try await scan(flow) { lines.add($0) }
            try lines.check()
        }
        let runs = lines.runCount
        try lines.add { LedgerExport.write(endAfter: flows.count, runs: runs, to: &$0) }
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

    func add(_ lines: (inout JSONText) -> Void) throws {
        state.withLock { lines(&$0.json) }
        try check()
    }

    /// - Returns: whether to continue; `false` after a write error.
    func add(_ part: FlowEntries) -> Bool {
        state.withLock { state in
            if state.flow != part.record.id { LedgerExport.write(part.record, to: &state.json) }
            state.flow = part.record.id
            for entry in part.entries {
                LedgerExport.write(entry, to: &state.json)
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

extension JSONText {
    fileprivate mutating func member(_ key: String, known value: String?) {
        if let value { member(key, value) }
    }

    fileprivate mutating func member(_ key: String, known value: (some BinaryInteger)?) {
        if let value { member(key, value) }
    }

    fileprivate mutating func column(_ column: DeltaColumn?) {
        guard let column else { return }
        object("deltaColumn") { $0.members(of: column) }
    }
}
