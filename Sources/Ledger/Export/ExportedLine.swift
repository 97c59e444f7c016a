import FlowRuns
import Foundation
import Text

/// A line of an exported ledger.
package enum ExportedLine: Equatable {
    case ledger(formatVersion: Int, target: String)
    case flow(FlowRecord)
    case run(LedgerEntry)
    case end(flows: Int, runs: Int)

    /// An error in a line.
    package struct LineError: Error {
        package let message: String

        init(_ message: String) { self.message = message }
    }

    /// Parses a line in canonical form: encoding the result must give the same bytes.
    ///
    /// - Parameters:
    ///   - bytes: the line, without its line feed.
    ///   - flow: the flow whose runs are being read.
    ///   - checksForm: whether to encode the result again. Without this check, unusual escapes and leading zeros are
    ///     accepted.
    package init(
        _ bytes: UnsafeBufferPointer<UInt8>, of flow: FlowID? = nil, checksForm: Bool = true
    ) throws(LineError) {
        var line = try LineParser(bytes)
        let kind = try line.text("kind")
        switch Kind(rawValue: kind) {
        case .ledger:
            var header = Header()
            do throws(LineError) { try Header.line.read(&line, into: &header) } catch {
                // Other versions may have other members.
                guard header.formatVersion > 0, !LedgerExport.readableVersions.contains(header.formatVersion) else {
                    throw error
                }
                self = .ledger(formatVersion: header.formatVersion, target: header.target)
                return
            }
            self = .ledger(formatVersion: header.formatVersion, target: header.target)
        case .flow:
            var record = FlowRecord(id: try line.flow(nil))
            try FlowColumns.line.read(&line, into: &record)
            guard record.revision.number > 0 else { throw LineError("'revision' counts from 1") }
            self = .flow(record)
        case .run:
            var row = RunRow(of: try line.flow(flow))
            try RunColumns.line.read(&line, into: &row)
            guard let entry = row.finished() else { throw LineError("'window' ends before it starts") }
            if let reason = entry.invalidity { throw LineError("the run is impossible: \(reason)") }
            self = .run(entry)
        case .end:
            var end = End()
            try End.line.read(&line, into: &end)
            self = .end(flows: end.flows, runs: end.runs)
        case nil: throw LineError("'kind' is unknown: '\(kind)'")
        }
        try line.expectEnd()
        guard checksForm else { return }
        var canonical = JSONText()
        write(to: &canonical)
        let isCanonical =
            canonical.bytes.count == bytes.count + 1
            && bytes.baseAddress.map { memcmp(canonical.bytes, $0, bytes.count) == 0 } ?? false
        guard !isCanonical else { return }
        let column = zip(canonical.bytes, bytes).prefix { $0 == $1 }.count + 1
        throw LineError("not in canonical form from column \(column) on")
    }

    /// Parses a line from a collection of bytes.
    package init(_ bytes: some Collection<UInt8>, of flow: FlowID? = nil) throws(LineError) {
        self = try Array(bytes).withUnsafeBufferPointer { (bytes) throws(LineError) in
            try ExportedLine(bytes, of: flow)
        }
    }

    private enum Kind: String {
        case ledger, flow, run, end
    }

    /// Writes the line with its line end.
    package func write(to json: inout JSONText) {
        switch self {
        case .ledger(let version, let target):
            json.line(Kind.ledger.rawValue, nil, Header(formatVersion: version, target: target), Header.line)
        case .flow(let record): json.line(Kind.flow.rawValue, record.id, record, FlowColumns.line)
        case .run(let entry): json.line(Kind.run.rawValue, entry.run.flow, RunRow(entry), RunColumns.line)
        case .end(let flows, let runs): json.line(Kind.end.rawValue, nil, End(flows: flows, runs: runs), End.line)
        }
    }

    package var bytes: [UInt8] {
        var json = JSONText()
        write(to: &json)
        return json.bytes
    }
}

/// The members of an export's first line.
private struct Header: Sendable {
    var formatVersion = 0
    var target = ""

    static let line = LineColumns<Header>([
        LedgerColumn("", "formatVersion", { $0.formatVersion }, { $0.formatVersion = $1 }, isRequired: true),
        LedgerColumn("", "target", { $0.target }, { $0.target = $1 }, isRequired: true),
    ])
}

/// The members of an export's last line.
private struct End: Sendable {
    var flows = 0
    var runs = 0

    static let line = LineColumns<End>([
        LedgerColumn("", "flows", { $0.flows }, { $0.flows = $1 }, isRequired: true),
        LedgerColumn("", "runs", { $0.runs }, { $0.runs = $1 }, isRequired: true),
    ])
}

extension JSONText {
    fileprivate mutating func line<Row>(_ kind: String, _ flow: FlowID?, _ row: Row, _ columns: LineColumns<Row>) {
        object {
            $0.member("kind", kind)
            if let flow { $0.member("flow", flow.description) }
            columns.write(row, to: &$0)
        }
        endLine()
    }
}
