import FlowRuns
import Ledger

/// Columns of the table `sluice.run` except `target` and `flow`, in the order used for reading and writing.
enum RunRow {
    typealias Column = (name: String, type: String)

    static let runColumns: [Column] = [
        ("window_start", "bigint"), ("window_end", "bigint"), ("rerun", "text"), ("attempt", "bigint"),
        ("state", "text"), ("origin", "text"), ("run", "text"), ("column_name", "text"),
        ("column_date_format", "text"), ("column_timezone", "text"), ("recorded_at", "bigint"), ("failure", "text"),
        ("claim", "text"), ("claim_owner", "text"), ("claimed_earliest", "bigint"), ("claimed_latest", "bigint"),
    ]
    static let entryColumns: [Column] =
        runColumns + [
            ("request", "text"), ("response", "text"), ("status", "text"), ("input_records", "bigint"),
            ("output_records", "bigint"), ("failed_records", "bigint"), ("input_files", "bigint"),
            ("updated_at", "bigint"), ("file", "text"), ("line", "bigint"), ("commit_id", "text"), ("author", "text"),
            ("ci_run", "text"), ("reason", "text"),
        ]

    static func names(_ columns: [Column], of table: String = "") -> String {
        columns.map { table.isEmpty ? $0.name : "\(table).\($0.name)" }.joined(separator: ", ")
    }

    /// Returns typed array parameters for the columns: `$3::bigint[], $4::text[]`.
    static func arrays(_ columns: [Column], from first: Int) -> String {
        columns.enumerated().map { "$\(first + $0)::\($1.type)[]" }.joined(separator: ", ")
    }

    /// Adds one array parameter per column, with the values of all rows.
    static func add(_ entries: some Collection<LedgerEntry>, to parameters: inout Parameters) {
        var writer = RowWriter()
        for entry in entries { writer.write(entry) }
        for array in writer.arrays { parameters.add(array) }
    }

    static func entry(of flow: FlowID, from row: inout RowReader) throws(PostgresError) -> LedgerEntry {
        let run = try run(of: flow, from: &row)
        let (request, response, status) = (row.text(), row.text(), row.text())
        let counts = RunCounts(
            inputRecords: try row.integer(), outputRecords: try row.integer(), failedRecords: try row.integer(),
            inputFiles: try row.integer())
        let updatedAt = try row.required(try row.time())
        let provenance = Provenance(
            file: row.text(), line: try row.integer().map(Int.init), commit: row.text(), author: row.text(),
            ciRun: row.text(), reason: row.text())
        return LedgerEntry(
            run: run, request: request, response: response, status: status, counts: counts, updatedAt: updatedAt,
            provenance: provenance)
    }

    /// Columns of the table `r` that planning needs.
    static let planningColumns = names(runColumns, of: "r") + ", coalesce(r.output_records, r.input_records)"

    static func plannedRun(of flow: FlowID, from row: inout RowReader) throws(PostgresError) -> RecordedRun {
        var run = try run(of: flow, from: &row)
        run.records = try row.integer()
        return run
    }

    static func run(of flow: FlowID, from row: inout RowReader) throws(PostgresError) -> RecordedRun {
        let (start, end) = (try row.integer(), try row.integer())
        let rerun = try row.required(row.text())
        let attempt = try row.required(try row.integer())
        let state = try row.required(row.word(RunState.init(utf8:)) ?? nil)
        let origin = try row.required(row.word(RunOrigin.init(utf8:)) ?? nil)
        let id = row.text().flatMap(RunID.init)
        let column = row.deltaColumn()
        let recordedAt = try row.required(try row.time())
        var window: Window?
        if let start, let end { window = try row.required(Window(startSeconds: start, endSeconds: end)) }
        return RecordedRun(
            identity: RunIdentity(
                flow: flow, window: window, rerun: rerun.isEmpty ? nil : rerun, attempt: Int(attempt)),
            state: state, origin: origin, id: id, deltaColumn: column, recordedAt: recordedAt, failure: row.text(),
            claim: try claim(from: &row))
    }

    private static func claim(from row: inout RowReader) throws(PostgresError) -> RunClaim? {
        let (id, owner) = (row.text(), row.text())
        let (earliest, latest) = (try row.time(), try row.time())
        guard let id = id.flatMap(ClaimID.init) else { return nil }
        var time: ServiceTime?
        if let earliest, let latest { time = ServiceTime(earliest: earliest, latest: latest) }
        return RunClaim(id: id, owner: owner ?? "", time: time)
    }
}

/// Writes rows into one array per column.
private struct RowWriter {
    private(set) var arrays = Array(repeating: ArrayLiteral(), count: RunRow.entryColumns.count)
    private var column = 0

    mutating func write(_ entry: LedgerEntry) {
        column = 0
        let (run, counts, provenance) = (entry.run, entry.counts, entry.provenance)
        add(run.window?.start.seconds)
        add(run.window?.end.seconds)
        add(run.identity.rerun ?? "")
        add(run.identity.attempt)
        add(run.state.rawValue)
        add(run.origin.rawValue)
        add(run.id?.description)
        add(run.deltaColumn?.name)
        add(run.deltaColumn?.dateFormat)
        add(run.deltaColumn?.timezone)
        add(run.recordedAt.milliseconds)
        add(run.failure)
        add(run.claim?.id.description)
        add(run.claim?.owner)
        add(run.claim?.time?.earliest.milliseconds)
        add(run.claim?.time?.latest.milliseconds)
        add(entry.request)
        add(entry.response)
        add(entry.status)
        add(counts.inputRecords)
        add(counts.outputRecords)
        add(counts.failedRecords)
        add(counts.inputFiles)
        add(entry.updatedAt.milliseconds)
        add(provenance.file)
        add(provenance.line)
        add(provenance.commit)
        add(provenance.author)
        add(provenance.ciRun)
        add(provenance.reason)
    }

    private mutating func add(_ text: String?) {
        arrays[column].add(text)
        column += 1
    }

    private mutating func add(_ number: (some BinaryInteger)?) {
        arrays[column].add(number)
        column += 1
    }
}
