import FlowRuns
import GRDB
import Ledger

/// The rows of one target, within a transaction of SQLite.
struct SQLiteRows: LedgerTransaction {
    let connection: Database
    /// The key of the table `target`; `nil` for a target that this file does not know yet, which has no rows.
    let target: Int64?
    /// For messages.
    let file: String

    private static let ofIdentity = "target = ? AND flow = ? AND window_start IS ? AND window_end IS ? AND rerun = ?"

    func record(of flow: FlowID) throws(LedgerError) -> FlowRecord {
        let known = try fetch(
            "SELECT revision, contacted_at, column_name, column_date_format, column_timezone FROM flow "
                + "WHERE target = ? AND flow = ?", [target, flow.description]
        ) { (columns) throws(LedgerError) in try Self.record(of: flow, from: &columns) }
        return known.first ?? FlowRecord(id: flow)
    }

    func records() throws(LedgerError) -> [FlowRecord] {
        try fetch(
            "SELECT flow, revision, contacted_at, column_name, column_date_format, column_timezone FROM flow "
                + "WHERE target = ? ORDER BY flow", [target]
        ) { (columns) throws(LedgerError) in
            let flow = try columns.required(columns.text().flatMap { FlowID($0) })
            return try Self.record(of: flow, from: &columns)
        }
    }

    private static func record(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> FlowRecord {
        let revision = try columns.required(columns.integer())
        return FlowRecord(
            id: flow, revision: Int(revision), contactedAt: try columns.integer().map(Timestamp.init(milliseconds:)),
            deltaColumn: try columns.deltaColumn())
    }

    func save(_ record: FlowRecord) throws(LedgerError) {
        let column = record.deltaColumn
        try execute(
            """
            INSERT INTO flow (target, flow, revision, contacted_at, column_name, column_date_format, column_timezone)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (target, flow) DO UPDATE SET
                revision = excluded.revision, contacted_at = excluded.contacted_at,
                column_name = excluded.column_name, column_date_format = excluded.column_date_format,
                column_timezone = excluded.column_timezone
            """,
            [
                target, record.id.description, record.revision, record.contactedAt?.milliseconds, column?.name,
                column?.dateFormat,
                column?.timezone,
            ])
    }

    func runs(of flow: FlowID) throws(LedgerError) -> [RecordedRun] {
        try fetch(
            "SELECT \(RunRow.runColumns) FROM run WHERE target = ? AND flow = ? "
                + "ORDER BY window_start, window_end, rerun, attempt", [target, flow.description]
        ) { (columns) throws(LedgerError) in try RunRow.run(of: flow, from: &columns) }
    }

    /// Whether a run was requested at that time or later.
    func hasRequest(of flow: FlowID, since time: Timestamp) throws(LedgerError) -> Bool {
        try !fetch(
            "SELECT 1 FROM run WHERE target = ? AND flow = ? AND origin = 'request' AND recorded_at >= ? LIMIT 1",
            [target, flow.description, time.milliseconds]
        ) { (columns) throws(LedgerError) in try columns.integer() }.isEmpty
    }

    func entries(of flow: FlowID) throws(LedgerError) -> [LedgerEntry] {
        try fetchEntries(
            of: flow, "target = ? AND flow = ? ORDER BY window_start, window_end, rerun, attempt",
            [target, flow.description])
    }

    func entry(_ identity: RunIdentity) throws(LedgerError) -> LedgerEntry? {
        try fetchEntries(
            of: identity.flow, "\(Self.ofIdentity) AND attempt = ?", key(of: identity) + [identity.attempt]
        ).first
    }

    func entry(of run: RunID) throws(LedgerError) -> LedgerEntry? {
        try fetch(
            "SELECT flow, \(RunRow.entryColumns) FROM run WHERE target = ? AND run = ?", [target, run.description]
        ) { (columns) throws(LedgerError) in
            let flow = try columns.required(columns.text().flatMap { FlowID($0) })
            return try RunRow.entry(of: flow, from: &columns)
        }.first
    }

    func attempts(of identity: RunIdentity) throws(LedgerError) -> [LedgerEntry] {
        try fetchEntries(of: identity.flow, "\(Self.ofIdentity) ORDER BY attempt", key(of: identity))
    }

    func lastAttempt(of identity: RunIdentity) throws(LedgerError) -> Int {
        let last = try fetch("SELECT max(attempt) FROM run WHERE \(Self.ofIdentity)", key(of: identity)) {
            (columns) throws(LedgerError) in try columns.integer()
        }
        return last.first?.map(Int.init) ?? 0
    }

    func insert(_ entry: LedgerEntry) throws(LedgerError) -> Bool {
        let marks = String(repeating: ", ?", count: RunRow.entryColumnCount)
        try execute(
            "INSERT INTO run (target, flow, \(RunRow.entryColumns)) VALUES (?, ?\(marks)) ON CONFLICT DO NOTHING",
            [target, entry.run.flow.description] + RunRow.values(of: entry))
        return connection.changesCount == 1
    }

    func replace(_ identity: RunIdentity, with entry: LedgerEntry) throws(LedgerError) {
        let marks = String(repeating: ", ?", count: RunRow.entryColumnCount).dropFirst(2)
        try execute(
            "UPDATE run SET (\(RunRow.entryColumns)) = (\(marks)) WHERE \(Self.ofIdentity) AND attempt = ?",
            RunRow.values(of: entry) + key(of: identity) + [identity.attempt])
    }

    func remove(_ identity: RunIdentity) throws(LedgerError) {
        try execute("DELETE FROM run WHERE \(Self.ofIdentity) AND attempt = ?", key(of: identity) + [identity.attempt])
    }

    private typealias Values = [(any DatabaseValueConvertible)?]

    private func key(of identity: RunIdentity) -> Values {
        [
            target, identity.flow.description, identity.window?.start.seconds, identity.window?.end.seconds,
            identity.rerun ?? "",
        ]
    }

    private func fetchEntries(
        of flow: FlowID, _ condition: String, _ values: Values
    ) throws(LedgerError) -> [LedgerEntry] {
        try fetch("SELECT \(RunRow.entryColumns) FROM run WHERE \(condition)", values) {
            (columns) throws(LedgerError) in try RunRow.entry(of: flow, from: &columns)
        }
    }

    private func fetch<Value>(
        _ sql: String, _ values: Values, _ read: (inout ColumnReader) throws(LedgerError) -> Value
    ) throws(LedgerError) -> [Value] {
        do {
            let rows = try Row.fetchCursor(connection.cachedStatement(sql: sql), arguments: StatementArguments(values))
            var found: [Value] = []
            while let row = try rows.next() {
                var columns = ColumnReader(row)
                found.append(try read(&columns))
            }
            return found
        } catch {
            throw LedgerError(error, file: file)
        }
    }

    private func execute(_ sql: String, _ values: Values) throws(LedgerError) {
        do {
            try connection.cachedStatement(sql: sql).execute(arguments: StatementArguments(values))
        } catch {
            throw LedgerError(error, file: file)
        }
    }
}
