import FlowRuns
import Ledger

/// The columns of the table `run` after `target` and `flow`, in the order used for reading and writing.
enum RunRow {
    /// The columns that planning needs.
    static let planningColumns = "\(runColumns), COALESCE(output_records, input_records)"

    static func plannedRun(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> RecordedRun {
        var run = try run(of: flow, from: &columns)
        run.records = try columns.integer()
        return run
    }

    private static let identityColumns = "window_start, window_end, rerun, attempt"
    private static let stateColumns = """
        state, origin, run, column_name, column_date_format, column_timezone, recorded_at, failure, claim, \
        claim_owner, claimed_earliest, claimed_latest
        """
    private static let runColumns = "\(identityColumns), \(stateColumns)"
    private static let detailColumns = """
        request, response, status, input_records, output_records, failed_records, input_files, updated_at, file, \
        line, commit_id, author, ci_run, reason
        """
    /// All columns except those of the identity, which rarely changes.
    static let changingColumns = "\(stateColumns), \(detailColumns)"
    static let entryColumns = "\(identityColumns), \(changingColumns)"

    static func bind(_ entry: LedgerEntry, to statement: inout PreparedStatement) {
        let run = entry.run
        statement.bind(run.window?.start.seconds)
        statement.bind(run.window?.end.seconds)
        statement.bind(run.identity.rerun ?? "")
        statement.bind(run.identity.attempt)
        bindChanging(entry, to: &statement)
    }

    static func bindChanging(_ entry: LedgerEntry, to statement: inout PreparedStatement) {
        let (run, counts, provenance) = (entry.run, entry.counts, entry.provenance)
        statement.bind(run.state.rawValue)
        statement.bind(run.origin.rawValue)
        statement.bind(run.id?.description)
        statement.bind(run.deltaColumn)
        statement.bind(run.recordedAt)
        statement.bind(run.failure)
        statement.bind(run.claim?.id.description)
        statement.bind(run.claim?.owner)
        statement.bind(run.claim?.time?.earliest)
        statement.bind(run.claim?.time?.latest)
        statement.bind(entry.request)
        statement.bind(entry.response)
        statement.bind(entry.status)
        statement.bind(counts.inputRecords)
        statement.bind(counts.outputRecords)
        statement.bind(counts.failedRecords)
        statement.bind(counts.inputFiles)
        statement.bind(entry.updatedAt)
        statement.bind(provenance.file)
        statement.bind(provenance.line)
        statement.bind(provenance.commit)
        statement.bind(provenance.author)
        statement.bind(provenance.ciRun)
        statement.bind(provenance.reason)
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
        let state = try columns.required(columns.word(RunState.init(utf8:)) ?? nil)
        let origin = try columns.required(columns.word(RunOrigin.init(utf8:)) ?? nil)
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
