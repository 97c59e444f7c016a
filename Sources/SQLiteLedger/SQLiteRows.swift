import FlowRuns
import GRDB
import Ledger

/// The rows of one target within a transaction.
struct SQLiteRows {
    let connection: Database
    /// The primary key in the table `target`; `nil` if the file has no rows for the target.
    let target: Int64?
    /// The path of the ledger, for messages.
    let file: String

    private static let ofIdentity =
        "target = ? AND flow = ? AND window_start IS ? AND window_end IS ? AND rerun = ? AND attempt = ?"
    /// The maximum number of rows in a chunk.
    private static let partSize = 1_000
    /// The size of the page cache in KiB; SQLite's default.
    private static let usualCache = 2_000
    /// The size of the page cache in KiB during a bulk insert.
    private static let largeCache = 96 << 10
    private static let inOrder = "ORDER BY window_start, window_end, rerun, attempt"

    // MARK: Read

    func record(of flow: FlowID) throws(LedgerError) -> FlowRecord {
        let known = try fetch(
            "SELECT flow, \(Self.flowColumns) FROM flow WHERE target = ? AND flow = ?", of: flow, Self.record)
        return known.first ?? FlowRecord(id: flow)
    }

    /// Reads the records of all flows, sorted by flow ID.
    func records() throws(LedgerError) -> [FlowRecord] {
        try fetch("SELECT flow, \(Self.flowColumns) FROM flow WHERE target = ? ORDER BY flow", of: nil, Self.record)
    }

    private static func record(from columns: inout ColumnReader) throws(LedgerError) -> FlowRecord {
        var record = FlowRecord(id: try columns.required(columns.text().flatMap { FlowID($0) }))
        try columns.fill(&record, FlowColumns.all)
        return record
    }

    private static func entry(of flow: FlowID, from columns: inout ColumnReader) throws(LedgerError) -> LedgerEntry {
        var row = RunRow(of: flow)
        try columns.fill(&row, RunColumns.all)
        return try columns.required(row.finished())
    }

    func runs(of flow: FlowID) throws(LedgerError) -> [RecordedRun] {
        try all { (visit) throws(LedgerError) in try scanRuns(of: flow, visit: visit) }
    }

    func entries(of flow: FlowID) throws(LedgerError) -> [LedgerEntry] {
        try all { (visit) throws(LedgerError) in try scanEntries(of: flow, visit: visit) }
    }

    func scanRuns(of flow: FlowID, visit: ([RecordedRun]) -> Bool) throws(LedgerError) {
        try scan(PlannedRun.columns, of: flow, PlannedRun.read, visit: visit)
    }

    func scanEntries(of flow: FlowID, visit: ([LedgerEntry]) -> Bool) throws(LedgerError) {
        try scan(Self.entryColumns, of: flow, Self.entry, visit: visit)
    }

    /// Returns the open requests of the flow, and the rows of any flow with one of the run IDs.
    func entries(openIn flow: FlowID, orOf runs: [RunID]) throws(LedgerError) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        func read(_ condition: String, bind: (inout PreparedStatement) -> Void) throws(LedgerError) {
            try each("SELECT flow, \(Self.entryColumns) FROM run WHERE \(condition)", bind: bind) {
                (columns) throws(LedgerError) in
                let flow = try columns.required(columns.text().flatMap { FlowID($0) })
                entries.append(try Self.entry(of: flow, from: &columns))
                return true
            }
        }
        try read("target = ? AND flow = ? AND state IN ('intended', 'inDoubt')") { self.bind(flow, to: &$0) }
        for run in runs {
            try read("run = ? AND target = ?") {
                $0.bind(run.description)
                $0.bind(target)
            }
        }
        return entries
    }

    private func all<Row>(
        _ scan: (_ visit: ([Row]) -> Bool) throws(LedgerError) -> Void
    ) throws(LedgerError) -> [Row] {
        var rows: [Row] = []
        try scan { part in
            rows += part
            return true
        }
        return rows
    }

    /// Streams the flow's rows in chunks, until the last row or until `visit` returns `false`.
    private func scan<Row>(
        _ columns: String, of flow: FlowID,
        _ read: (FlowID, inout ColumnReader) throws(LedgerError) -> Row, visit: ([Row]) -> Bool
    ) throws(LedgerError) {
        var part: [Row] = []
        try each(
            "SELECT \(columns) FROM run WHERE target = ? AND flow = ? \(Self.inOrder)", bind: { bind(flow, to: &$0) }
        ) { (columns) throws(LedgerError) in
            part.append(try read(flow, &columns))
            guard part.count == Self.partSize else { return true }
            defer { part.removeAll(keepingCapacity: true) }
            return visit(part)
        }
        if !part.isEmpty { _ = visit(part) }
    }

    // MARK: Commit

    func make(_ commit: FlowCommit) throws(LedgerError) -> CommitResult {
        try swap(commit.record, expecting: commit.expecting) { () throws(LedgerError) in
            for change in commit.changes {
                switch change {
                case .insert(let entry): try insert([entry])
                case .update(let identity, let update, let time): try self.update(identity, update, at: time)
                case .remove(let identity):
                    try execute("DELETE FROM run WHERE \(Self.ofIdentity)") { bind(identity, to: &$0) }
                }
            }
        }
    }

    func add(_ flow: NewFlow) throws(LedgerError) {
        let result = try swap(flow.record, expecting: flow.expecting) { () throws(LedgerError) in
            let next = flow.runs()
            while case let entries = try next(), !entries.isEmpty { try insert(entries) }
        }
        guard result == .done else { throw flow.changed }
    }

    /// Runs a bulk insert with a large page cache.
    ///
    /// Window order is random in the run-ID index, so a small page cache would thrash.
    func withLargeCache<Value>(_ body: () throws -> Value) throws -> Value {
        try connection.execute(sql: "PRAGMA cache_size = -\(Self.largeCache)")
        defer { try? connection.execute(sql: "PRAGMA cache_size = -\(Self.usualCache)") }
        return try body()
    }

    /// Replaces the flow's record and runs `change`, but only if the flow still has the expected revision.
    ///
    /// A flow that already has the new revision is left as it is: the same commit was made before.
    private func swap(
        _ record: FlowRecord, expecting: Revision, _ change: () throws(LedgerError) -> Void
    ) throws(LedgerError) -> CommitResult {
        let revision = try self.record(of: record.id).revision
        if revision == record.revision { return .done }
        guard revision == expecting else { return .conflict }
        try replace(record)
        try change()
        return .done
    }

    func replace(_ record: FlowRecord) throws(LedgerError) {
        try execute(Self.flowReplacement) {
            $0.bind(target)
            $0.bind(record.id.description)
            $0.bind(record, FlowColumns.all)
        }
    }

    func insert(_ entries: [LedgerEntry]) throws(LedgerError) {
        do {
            var statement = try PreparedStatement(connection, Self.insertion)
            for entry in entries {
                bind(entry.run.flow, to: &statement)
                statement.bind(RunRow(entry), RunColumns.all)
                _ = try statement.step()
                statement.reset()
            }
        } catch {
            throw LedgerError(error, file: file)
        }
    }

    static let flowColumns = FlowColumns.all.names()
    static let entryColumns = RunColumns.all.names()

    private static let flowReplacement =
        "INSERT INTO flow (target, flow, \(flowColumns)) VALUES (?, ?, \(marks(FlowColumns.all))) "
        + "ON CONFLICT (target, flow) DO UPDATE SET "
        + FlowColumns.all.map { "\($0.name) = excluded.\($0.name)" }.joined(separator: ", ")

    private static let insertion =
        "INSERT INTO run (target, flow, \(entryColumns)) VALUES (?, ?, \(marks(RunColumns.all)))"
    private static let runChange = update(RunColumns.changing)
    private static let runReplacement = update(RunColumns.all)

    private static func update(_ columns: [LedgerColumn<RunRow>]) -> String {
        "UPDATE run SET (\(columns.names())) = (\(marks(columns))) WHERE \(ofIdentity)"
    }

    private static func marks<Row>(_ columns: [LedgerColumn<Row>]) -> String {
        columns.map { _ in "?" }.joined(separator: ", ")
    }

    private func update(_ identity: RunIdentity, _ update: RunUpdate, at time: Timestamp) throws(LedgerError) {
        var stored: LedgerEntry?
        try each(
            "SELECT \(Self.entryColumns) FROM run WHERE \(Self.ofIdentity)", bind: { bind(identity, to: &$0) }
        ) { (columns) throws(LedgerError) in
            stored = try Self.entry(of: identity.flow, from: &columns)
            return false
        }
        guard let before = stored else { throw .unknownRun(identity) }
        var entry = before
        try entry.apply(update, at: time)
        guard entry != before else { return }
        // Setting a column also updates its indexes, so skip the identity columns if they are unchanged.
        let isSame = entry.run.identity == identity
        try execute(isSame ? Self.runChange : Self.runReplacement) {
            $0.bind(RunRow(entry), isSame ? RunColumns.changing : RunColumns.all)
            bind(identity, to: &$0)
        }
    }

    // MARK: Statements

    private func bind(_ flow: FlowID, to statement: inout PreparedStatement) {
        statement.bind(target)
        statement.bind(flow.description)
    }

    private func bind(_ identity: RunIdentity, to statement: inout PreparedStatement) {
        bind(identity.flow, to: &statement)
        statement.bind(identity.window?.start.seconds)
        statement.bind(identity.window?.end.seconds)
        statement.bind(identity.rerun ?? "")
        statement.bind(identity.attempt)
    }

    /// Runs a query and decodes all of its rows.
    ///
    /// - Parameter flow: The second parameter of the query, or `nil` if it has only one.
    private func fetch<Value>(
        _ sql: String, of flow: FlowID?, _ read: (inout ColumnReader) throws(LedgerError) -> Value
    ) throws(LedgerError) -> [Value] {
        var values: [Value] = []
        try each(
            sql,
            bind: {
                $0.bind(target)
                if let flow { $0.bind(flow.description) }
            }
        ) { (columns) throws(LedgerError) in
            values.append(try read(&columns))
            return true
        }
        return values
    }

    /// Runs a statement and passes each row to `read`, until `read` returns `false`.
    private func each(
        _ sql: String, bind: (inout PreparedStatement) -> Void,
        read: (inout ColumnReader) throws(LedgerError) -> Bool
    ) throws(LedgerError) {
        do {
            var statement = try PreparedStatement(connection, sql)
            defer { statement.finish() }
            bind(&statement)
            while try statement.step() {
                var columns = statement.row
                if try !read(&columns) { return }
            }
        } catch {
            throw LedgerError(error, file: file)
        }
    }

    private func execute(_ sql: String, bind: (inout PreparedStatement) -> Void) throws(LedgerError) {
        try each(sql, bind: bind) { _ in true }
    }
}

/// The columns that planning needs. They are read without ``RunColumns``, because a plan may scan a million rows.
private enum PlannedRun {
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
