import FlowRuns
import Ledger

/// The columns that planning needs. They are read without ``RunColumns``, because a plan may scan a million rows.
enum PlannedRun {
    static let columns = """
        window_start, window_end, rerun, attempt, state, origin, run, column_name, column_date_format, \
        column_timezone, recorded_at, failure, claim, claim_owner, claimed_earliest, claimed_latest, \
        COALESCE(output_records, input_records)
        """

    static func read(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> RecordedRun {
        let (start, end) = (try columns.integer(), try columns.integer())
        let rerun = try columns.required(columns.text())
        let attempt = try columns.required(columns.integer())
        let state = try columns.required(columns.text().flatMap(RunState.init(rawValue:)))
        let origin = try columns.required(columns.text().flatMap(RunOrigin.init(rawValue:)))
        let id = try columns.text().flatMap(RunID.init)
        let (name, dateFormat, timezone) = (try columns.text(), try columns.text(), try columns.text())
        let recordedAt = try columns.required(columns.time())
        let failure = try columns.text()
        let (claim, owner) = (try columns.text(), try columns.text())
        let (earliest, latest) = (try columns.time(), try columns.time())
        let records = try columns.integer()
        var window: Window?
        if let start, let end { window = try columns.required(Window(startSeconds: start, endSeconds: end)) }
        var time: ServiceTime?
        if let earliest, let latest { time = ServiceTime(earliest: earliest, latest: latest) }
        return RecordedRun(
            identity: RunIdentity(
                flow: flow, window: window, rerun: rerun.isEmpty ? nil : rerun, attempt: Int(attempt)),
            state: state, origin: origin, id: id,
            deltaColumn: name.map { DeltaColumn(name: $0, dateFormat: dateFormat, timezone: timezone) },
            recordedAt: recordedAt, failure: failure,
            claim: claim.flatMap(ClaimID.init).map { RunClaim(id: $0, owner: owner ?? "", time: time) },
            records: records)
    }
}
