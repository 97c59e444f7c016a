import FlowRuns
import Foundation

/// A line of an exported ledger as it is read back.
enum ExportedLine: Equatable {
    case ledger(formatVersion: Int, target: String)
    case flow(FlowRecord)
    case run(LedgerEntry)
    case end(flows: Int, runs: Int)

    /// - Throws: ``Fault`` when the line is not exactly what ``LedgerExport`` writes.
    init(_ bytes: some Collection<UInt8>) throws(Fault) {
        self = try Members(bytes).line()
        // A first line is judged by its format version; that of another version may have other members.
        if case .ledger = self { return }
        // Also refuses members that are unknown, repeated or out of order, and what a reader would round.
        guard rewritten.dropLast().elementsEqual(bytes) else {
            throw Fault("it is not written as an export writes it")
        }
    }

    /// What is wrong with a line.
    struct Fault: Error {
        let message: String

        init(_ message: String) { self.message = message }
    }

    private var rewritten: [UInt8] {
        switch self {
        case .ledger(_, let target): LedgerExport.header(target: target)
        case .flow(let record): LedgerExport.line(record)
        case .run(let entry): LedgerExport.line(entry)
        case .end(let flows, let runs): LedgerExport.end(flows: flows, runs: runs)
        }
    }
}

/// The members of any line; which of them must be there depends on its kind.
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
    let flows: Int?
    let runs: Int?

    init(_ bytes: some Collection<UInt8>) throws(ExportedLine.Fault) {
        do {
            self = try JSONDecoder().decode(Members.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw ExportedLine.Fault(error.inWords)
        } catch {
            throw ExportedLine.Fault("it is not JSON")
        }
    }

    func line() throws(ExportedLine.Fault) -> ExportedLine {
        switch kind {
        case .ledger:
            .ledger(
                formatVersion: try required(formatVersion, "formatVersion"), target: try required(target, "target"))
        case .flow: .flow(try record())
        case .run: .run(try entry())
        case .end: .end(flows: try required(flows, "flows"), runs: try required(runs, "runs"))
        }
    }

    private func record() throws(ExportedLine.Fault) -> FlowRecord {
        let revision = try required(revision, "revision")
        guard revision > 0 else { throw ExportedLine.Fault("'revision' counts from 1") }
        return FlowRecord(
            id: try flowID(), revision: revision, contactedAt: contactedAt.map(Timestamp.init(milliseconds:)),
            deltaColumn: try column())
    }

    private func entry() throws(ExportedLine.Fault) -> LedgerEntry {
        let identity = RunIdentity(
            flow: try flowID(), window: try span(), rerun: rerun, attempt: try required(attempt, "attempt"))
        let run = RecordedRun(
            identity: identity,
            state: try required(RunState(rawValue: try required(state, "state")), "state", "is unknown"),
            origin: try required(RunOrigin(rawValue: try required(origin, "origin")), "origin", "is unknown"),
            id: try run.map { (text) throws(ExportedLine.Fault) in try required(RunID(text), "run", "is empty") },
            deltaColumn: try column(), recordedAt: try time(recordedAt, "recordedAt"), failure: failure)
        let entry = LedgerEntry(
            run: run, request: request, response: response, status: status,
            counts: RunCounts(
                inputRecords: counts?.inputRecords, outputRecords: counts?.outputRecords,
                failedRecords: counts?.failedRecords, inputFiles: counts?.inputFiles),
            updatedAt: try time(updatedAt, "updatedAt"),
            provenance: Provenance(
                file: provenance?.file, line: provenance?.line, commit: provenance?.commit,
                author: provenance?.author, ciRun: provenance?.ciRun))
        if let fault = entry.fault { throw ExportedLine.Fault("the run is impossible: \(fault)") }
        return entry
    }

    private func flowID() throws(ExportedLine.Fault) -> FlowID {
        try required(FlowID(try required(flow, "flow")), "flow", "is not a UUID")
    }

    private func span() throws(ExportedLine.Fault) -> Window? {
        guard let window else { return nil }
        return try required(
            Window(startSeconds: window.start, endSeconds: window.end), "window", "ends before it starts")
    }

    private func column() throws(ExportedLine.Fault) -> DeltaColumn? {
        deltaColumn.map { DeltaColumn(name: $0.name, dateFormat: $0.dateFormat, timezone: $0.timezone) }
    }

    private func time(_ milliseconds: Int64?, _ key: String) throws(ExportedLine.Fault) -> Timestamp {
        Timestamp(milliseconds: try required(milliseconds, key))
    }

    private func required<Value>(
        _ value: Value?, _ key: String, _ fault: String = "is missing"
    ) throws(ExportedLine.Fault) -> Value {
        guard let value else { throw ExportedLine.Fault("'\(key)' \(fault)") }
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
