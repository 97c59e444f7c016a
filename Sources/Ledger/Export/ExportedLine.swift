import FlowRuns
import Foundation
import Text

/// A parsed line of an exported ledger.
package enum ExportedLine: Equatable {
    case ledger(formatVersion: Int, target: String)
    case flow(FlowRecord)
    case run(LedgerEntry)
    case end(flows: Int, runs: Int)

    /// Parses a line.
    ///
    /// - Parameter flow: the flow whose runs are being read.
    /// - Throws: ``LineError`` when the line is not in the canonical form that ``LedgerExport`` writes.
    package init(_ bytes: UnsafeBufferPointer<UInt8>, of flow: FlowID? = nil) throws(LineError) {
        if let flow, let entry = CanonicalRun.read(bytes, of: flow) {
            self = .run(entry)
            return
        }
        self = try Members(bytes).line()
        // The first line is checked by its format version. Other versions may have other members.
        if case .ledger = self { return }
        // Also rejects unknown, repeated or misplaced members, and numbers that a parser would round.
        guard LedgerExport.lines(write).dropLast().elementsEqual(bytes) else {
            throw LineError("it is not written as an export writes it")
        }
    }

    /// Parses a line from a collection of bytes.
    ///
    /// - Throws: ``LineError`` when the line is not in canonical form.
    package init(_ bytes: some Collection<UInt8>, of flow: FlowID? = nil) throws(LineError) {
        self = try Array(bytes).withUnsafeBufferPointer { (bytes) throws(LineError) in
            try ExportedLine(bytes, of: flow)
        }
    }

    /// An error in a line.
    package struct LineError: Error {
        package let message: String

        init(_ message: String) { self.message = message }
    }

    private func write(to json: inout JSONText) {
        switch self {
        case .ledger(_, let target): LedgerExport.write(target: target, to: &json)
        case .flow(let record): LedgerExport.write(record, to: &json)
        case .run(let entry): LedgerExport.write(entry, to: &json)
        case .end(let flows, let runs): LedgerExport.write(endAfter: flows, runs: runs, to: &json)
        }
    }
}

/// The members of all kinds of lines. The required members depend on the kind.
private struct Members: Decodable {
    struct Span: Decodable {
        let start: Int64
        let end: Int64
    }

    struct Column: Decodable {
        let name: String
        let dateFormat: String?
        let timezone: String?
    }

    struct Counts: Decodable {
        let inputRecords: Int64?
        let outputRecords: Int64?
        let failedRecords: Int64?
        let inputFiles: Int64?
    }

    struct Origin: Decodable {
        let file: String?
        let line: Int?
        let commit: String?
        let author: String?
        let ciRun: String?
        let reason: String?
    }

    struct ClaimMembers: Decodable {
        let id: String
        let owner: String
        let earliest: Int64?
        let latest: Int64?
    }

    let kind: LedgerExport.Kind
    let formatVersion: Int?
    let target: String?
    let flow: String?
    let revision: Int?
    let contactedAt: Int64?
    let deltaColumn: Column?
    let window: Span?
    let rerun: String?
    let attempt: Int?
    let state: String?
    let origin: String?
    let run: String?
    let recordedAt: Int64?
    let failure: String?
    let request: String?
    let response: String?
    let status: String?
    let counts: Counts?
    let updatedAt: Int64?
    let provenance: Origin?
    let token: String?
    let comparedAt: Int64?
    let newestRunAt: Int64?
    let needsRecheck: Bool?
    let claim: ClaimMembers?
    let flows: Int?
    let runs: Int?

    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ExportedLine.LineError) {
        do {
            self = try JSONDecoder().decode(Members.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw ExportedLine.LineError(error.inWords)
        } catch {
            throw ExportedLine.LineError("it is not JSON")
        }
    }

    func line() throws(ExportedLine.LineError) -> ExportedLine {
        switch kind {
        case .ledger:
            .ledger(
                formatVersion: try required(formatVersion, "formatVersion"), target: try required(target, "target"))
        case .flow: .flow(try record())
        case .run: .run(try entry())
        case .end: .end(flows: try required(flows, "flows"), runs: try required(runs, "runs"))
        }
    }

    private func record() throws(ExportedLine.LineError) -> FlowRecord {
        let revision = try required(revision, "revision")
        guard revision > 0 else { throw ExportedLine.LineError("'revision' counts from 1") }
        return FlowRecord(
            id: try flowID(), revision: Revision(number: revision, token: token ?? ""),
            contactedAt: contactedAt.map(Timestamp.init(milliseconds:)), deltaColumn: try column(),
            comparedAt: comparedAt.map(Timestamp.init(milliseconds:)),
            newestRunAt: newestRunAt.map(Timestamp.init(milliseconds:)), needsRecheck: needsRecheck ?? false)
    }

    private func entry() throws(ExportedLine.LineError) -> LedgerEntry {
        let identity = RunIdentity(
            flow: try flowID(), window: try span(), rerun: rerun, attempt: try required(attempt, "attempt"))
        let run = RecordedRun(
            identity: identity,
            state: try required(RunState(rawValue: try required(state, "state")), "state", "is unknown"),
            origin: try required(RunOrigin(rawValue: try required(origin, "origin")), "origin", "is unknown"),
            id: try run.map { (text) throws(ExportedLine.LineError) in try required(RunID(text), "run", "is empty") },
            deltaColumn: try column(),
            recordedAt: Timestamp(milliseconds: try required(recordedAt, "recordedAt")), failure: failure,
            claim: try runClaim())
        let entry = LedgerEntry(
            run: run, request: request, response: response, status: status,
            counts: RunCounts(
                inputRecords: counts?.inputRecords, outputRecords: counts?.outputRecords,
                failedRecords: counts?.failedRecords, inputFiles: counts?.inputFiles),
            updatedAt: Timestamp(milliseconds: try required(updatedAt, "updatedAt")),
            provenance: Provenance(
                file: provenance?.file, line: provenance?.line, commit: provenance?.commit,
                author: provenance?.author, ciRun: provenance?.ciRun, reason: provenance?.reason))
        if let reason = entry.invalidity { throw ExportedLine.LineError("the run is impossible: \(reason)") }
        return entry
    }

    private func runClaim() throws(ExportedLine.LineError) -> RunClaim? {
        guard let claim else { return nil }
        var time: ServiceTime?
        if let earliest = claim.earliest, let latest = claim.latest {
            time = ServiceTime(
                earliest: Timestamp(milliseconds: earliest), latest: Timestamp(milliseconds: latest))
        }
        return RunClaim(id: try required(ClaimID(claim.id), "claim.id", "is empty"), owner: claim.owner, time: time)
    }

    private func flowID() throws(ExportedLine.LineError) -> FlowID {
        try required(FlowID(try required(flow, "flow")), "flow", "is not a UUID")
    }

    private func span() throws(ExportedLine.LineError) -> Window? {
        guard let window else { return nil }
        return try required(
            Window(startSeconds: window.start, endSeconds: window.end), "window", "ends before it starts")
    }

    private func column() throws(ExportedLine.LineError) -> DeltaColumn? {
        deltaColumn.map { DeltaColumn(name: $0.name, dateFormat: $0.dateFormat, timezone: $0.timezone) }
    }

    private func required<Value>(
        _ value: Value?, _ key: String, _ reason: String = "is missing"
    ) throws(ExportedLine.LineError) -> Value {
        guard let value else { throw ExportedLine.LineError("'\(key)' \(reason)") }
        return value
    }
}

extension DecodingError {
    fileprivate var inWords: String {
        func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        return switch self {
        case .keyNotFound(let key, let context): "'\(name(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context) where context.codingPath.isEmpty: "it is not a JSON object"
        case .typeMismatch(_, let context): "'\(name(context.codingPath))' is of the wrong type"
        case .valueNotFound(_, let context): "'\(name(context.codingPath))' is null"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "'\(name(context.codingPath))' has a value that is unknown"
        default: "it is not JSON"
        }
    }
}
