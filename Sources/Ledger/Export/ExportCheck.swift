import FlowRuns
import Foundation

/// A line-by-line check of an export. Each line is checked against the earlier ones. Only the position of each flow is
/// kept in memory, not its runs.
struct ExportCheck {
    private let targets: [String]
    private(set) var flows: [LedgerImport.Flow] = []
    private(set) var errors = LedgerImportError.Lines()
    /// Whether to stop, because the first line is invalid.
    private(set) var isHopeless = false
    private var flowLines: [FlowID: Int] = [:]
    private var idLines = RunIDLines()
    /// The previous run of the current flow.
    private var last: (identity: RunIdentity, line: Int)?
    /// The last request that is active or has succeeded. Its window must have no other such request.
    private var living: (key: RunKey, line: Int)?
    private var isEnded = false
    private var lineCount = 0

    init(targets: [String]) { self.targets = targets }

    mutating func read(_ line: ExportLine) {
        lineCount = line.number
        do throws(ExportedLine.LineError) {
            let read = try ExportedLine(line.bytes, of: flows.last?.record.id)
            if isEnded { throw ExportedLine.LineError("the export has ended before this line") }
            if line.number == 1 { try begin(read) } else { try check(read, line) }
        } catch {
            errors.add(line.number, error.message)
            isHopeless = line.number == 1
        }
    }

    mutating func finish() {
        if !isEnded, !isHopeless { errors.add(lineCount + 1, "the export is cut off") }
    }

    private func begin(_ line: ExportedLine) throws(ExportedLine.LineError) {
        guard case .ledger(let version, let exported) = line else {
            throw ExportedLine.LineError("not the first line of an exported ledger")
        }
        guard LedgerExport.readableVersions.contains(version) else {
            throw ExportedLine.LineError(
                "format version \(version) is not supported: this sluice reads versions up to \(LedgerExport.formatVersion)"
            )
        }
        guard targets.contains(exported) else {
            throw ExportedLine.LineError(
                "the ledger of the target '\(exported)', not of '\(targets.first ?? "")'")
        }
    }

    private mutating func check(_ read: ExportedLine, _ line: ExportLine) throws(ExportedLine.LineError) {
        switch read {
        case .ledger: throw ExportedLine.LineError("a second export begins")
        case .flow(let next):
            if let first = flowLines[next.id] {
                throw ExportedLine.LineError("the flow is already in line \(first)")
            }
            flowLines[next.id] = line.number
            flows.append(LedgerImport.Flow(record: next, line: line.number, offset: line.next))
            (last, living) = (nil, nil)
        case .run(let entry): try check(entry.run, line.number)
        case .end(let flowCount, let runCount):
            isEnded = true
            let found = (flows.count, flows.reduce(0) { $0 + $1.runCount })
            // If lines have errors, these have already been reported.
            guard errors.count > 0 || (flowCount, runCount) == found else {
                throw ExportedLine.LineError(
                    "expected \(flowCount) flows and \(runCount) runs, found \(found.0) and \(found.1)")
            }
        }
    }

    private mutating func check(_ run: RecordedRun, _ number: Int) throws(ExportedLine.LineError) {
        let identity = run.identity
        guard let flow = flows.last, flow.record.id == identity.flow else {
            throw ExportedLine.LineError("the run's flow is not on an earlier line")
        }
        if let last, last.identity >= identity {
            throw ExportedLine.LineError(
                last.identity == identity
                    ? "the run is already in line \(last.line)"
                    : "runs are out of order: this one belongs before line \(last.line)")
        }
        last = (identity, number)
        if let id = run.id, let first = idLines.add(id, number) {
            throw ExportedLine.LineError("the run ID is already in line \(first)")
        }
        if run.isActiveRequest {
            if let living, living.key == identity.key {
                throw ExportedLine.LineError(
                    "line \(living.line) has an active or succeeded request for this window")
            }
            living = (identity.key, number)
        }
        flows[flows.count - 1].runCount += 1
    }
}

/// The line number of each run ID. An export may contain a million IDs, nearly all of them UUIDs, which take 16 bytes
/// each.
private struct RunIDLines {
    private var ofUUIDs: [UUID: Int32] = [:]
    private var ofOthers: [RunID: Int] = [:]

    /// Adds a run ID.
    ///
    /// - Returns: the line that already contained the ID; `nil` if the ID is new.
    mutating func add(_ id: RunID, _ line: Int) -> Int? {
        // Only the canonical form of a UUID identifies the text.
        guard let uuid = UUID(uuidString: id.description), uuid.uuidString.lowercased() == id.description,
            let number = Int32(exactly: line)
        else { return ofOthers.updateValue(line, forKey: id) }
        return ofUUIDs.updateValue(number, forKey: uuid).map(Int.init)
    }
}
