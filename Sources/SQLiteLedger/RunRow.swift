import FlowRuns
import GRDB
import Ledger

/// The columns of the table `run` behind `target` and `flow`, in one order for reading and writing.
enum RunRow {
    /// What planning reads.
    static let runColumns = """
        window_start, window_end, rerun, attempt, state, origin, run, column_name, column_date_format, \
        column_timezone, recorded_at, failure, claim, claim_owner, claimed_earliest, claimed_latest
        """
    static let entryColumns = """
        \(runColumns), request, response, status, input_records, output_records, failed_records, input_files, \
        updated_at, file, line, commit_id, author, ci_run, reason
        """
    static let entryColumnCount = 30

    static func values(of entry: LedgerEntry) -> [(any DatabaseValueConvertible)?] {
        let (run, counts, provenance) = (entry.run, entry.counts, entry.provenance)
        return [
            run.window?.start.seconds, run.window?.end.seconds, run.identity.rerun ?? "", run.identity.attempt,
            run.state.rawValue,
            run.origin.rawValue, run.id?.description, run.deltaColumn?.name, run.deltaColumn?.dateFormat,
            run.deltaColumn?.timezone, run.recordedAt.milliseconds, run.failure,
            run.claim?.id.description, run.claim?.owner, run.claim?.time?.earliest.milliseconds,
            run.claim?.time?.latest.milliseconds,
            entry.request, entry.response, entry.status, counts.inputRecords, counts.outputRecords,
            counts.failedRecords, counts.inputFiles, entry.updatedAt.milliseconds, provenance.file, provenance.line,
            provenance.commit, provenance.author, provenance.ciRun, provenance.reason,
        ]
    }

    static func entry(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> LedgerEntry {
        let run = try run(of: flow, from: &columns)
        let (request, response, status) = (try columns.text(), try columns.text(), try columns.text())
        let counts = RunCounts(
            inputRecords: try columns.integer(), outputRecords: try columns.integer(),
            failedRecords: try columns.integer(), inputFiles: try columns.integer())
        let updatedAt = try columns.required(columns.time())
        let provenance = Provenance(
            file: try columns.text(), line: try columns.integer().map(Int.init),
            commit: try columns.text(),
            author: try columns.text(), ciRun: try columns.text(), reason: try columns.text())
        return LedgerEntry(
            run: run, request: request, response: response, status: status, counts: counts,
            updatedAt: updatedAt,
            provenance: provenance)
    }

    static func run(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> RecordedRun {
        let (start, end) = (try columns.integer(), try columns.integer())
        let rerun = try columns.required(columns.text())
        let attempt = try columns.required(columns.integer())
        let state = try columns.required(columns.text().flatMap(RunState.init))
        let origin = try columns.required(columns.text().flatMap(RunOrigin.init))
        let id = try columns.text().flatMap(RunID.init)
        let column = try columns.deltaColumn()
        let recordedAt = try columns.required(columns.time())
        var window: Window?
        if let start, let end { window = try columns.required(Window(startSeconds: start, endSeconds: end)) }
        return RecordedRun(
            identity: RunIdentity(
                flow: flow, window: window, rerun: rerun.isEmpty ? nil : rerun, attempt: Int(attempt)),
            state: state, origin: origin, id: id, deltaColumn: column, recordedAt: recordedAt,
            failure: try columns.text(), claim: try claim(from: &columns))
    }
}

extension RunRow {
    private static func claim(from columns: inout ColumnReader) throws(LedgerError) -> RunClaim? {
        let (id, owner) = (try columns.text(), try columns.text())
        let (earliest, latest) = (try columns.time(), try columns.time())
        guard let id = id.flatMap(ClaimID.init) else { return nil }
        var time: ServiceTime?
        if let earliest, let latest { time = ServiceTime(earliest: earliest, latest: latest) }
        return RunClaim(id: id, owner: owner ?? "", time: time)
    }
}

/// Reads a row column by column. A damaged file may hold anything, so nothing is taken for granted.
struct ColumnReader {
    private let row: Row
    private var index = -1

    init(_ row: Row) { self.row = row }

    mutating func integer() throws(LedgerError) -> Int64? {
        switch next().storage {
        case .null: nil
        case .int64(let value): value
        default: throw damage
        }
    }

    mutating func time() throws(LedgerError) -> Timestamp? { try integer().map(Timestamp.init(milliseconds:)) }

    mutating func text() throws(LedgerError) -> String? {
        switch next().storage {
        case .null: nil
        case .string(let value): value
        default: throw damage
        }
    }

    mutating func deltaColumn() throws(LedgerError) -> DeltaColumn? {
        let (name, dateFormat, timezone) = (try text(), try text(), try text())
        return name.map { DeltaColumn(name: $0, dateFormat: dateFormat, timezone: timezone) }
    }

    /// Throws where the last column read does not hold what it must.
    func required<Value>(_ value: Value?) throws(LedgerError) -> Value {
        guard let value else { throw damage }
        return value
    }

    private mutating func next() -> DatabaseValue {
        index += 1
        return index < row.count ? row[index] : .null
    }

    private var damage: LedgerError {
        .corrupt("a row does not hold what it must, in column \(index + 1) of \(row.count)")
    }
}
