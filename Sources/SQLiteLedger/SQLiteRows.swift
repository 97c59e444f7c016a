import FlowRuns
import GRDB
import Ledger

/// The rows of one target, within a transaction of SQLite.
struct SQLiteRows {
    let connection: Database
    /// The key of the table `target`; `nil` for a target that this file does not know yet, which has no rows.
    let target: Int64?
    /// For messages.
    let file: String

    private static let ofIdentity =
        "target = ? AND flow = ? AND window_start IS ? AND window_end IS ? AND rerun = ? AND attempt = ?"
    private static let inOrder = "ORDER BY window_start, window_end, rerun, attempt"

    // MARK: Read

    func record(of flow: FlowID) throws(LedgerError) -> FlowRecord {
        let known = try fetch(
            "SELECT \(FlowRow.columns) FROM flow WHERE target = ? AND flow = ?", [target, flow.description]
        ) { (columns) throws(LedgerError) in try FlowRow.record(from: &columns) }
        return known.first ?? FlowRecord(id: flow)
    }

    /// Sorted.
    func records() throws(LedgerError) -> [FlowRecord] {
        try fetch("SELECT \(FlowRow.columns) FROM flow WHERE target = ? ORDER BY flow", [target]) {
            (columns) throws(LedgerError) in try FlowRow.record(from: &columns)
        }
    }

    func runs(of flow: FlowID) throws(LedgerError) -> [RecordedRun] {
        try fetch(
            "SELECT \(RunRow.runColumns) FROM run WHERE target = ? AND flow = ? \(Self.inOrder)",
            [target, flow.description]
        ) { (columns) throws(LedgerError) in try RunRow.run(of: flow, from: &columns) }
    }

    func entries(of flow: FlowID) throws(LedgerError) -> [LedgerEntry] {
        try fetchEntries(of: flow, "target = ? AND flow = ? \(Self.inOrder)", [target, flow.description])
    }

    // MARK: Commit

    func make(_ commit: FlowCommit) throws(LedgerError) -> CommitResult {
        let revision = try record(of: commit.record.id).revision
        if revision == commit.record.revision { return .done }
        guard revision == commit.expecting else { return .conflict }
        try save(commit.record)
        for change in commit.changes {
            switch change {
            case .insert(let entry): try insert(entry)
            case .update(let identity, let update, let time): try self.update(identity, update, at: time)
            case .remove(let identity):
                try execute("DELETE FROM run WHERE \(Self.ofIdentity)", key(of: identity))
            }
        }
        return .done
    }

    private func save(_ record: FlowRecord) throws(LedgerError) {
        let marks = Array(repeating: "?", count: FlowRow.columnNames.count).joined(separator: ", ")
        let updates = FlowRow.columnNames.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        try execute(
            "INSERT INTO flow (target, \(FlowRow.columns)) VALUES (?, \(marks)) "
                + "ON CONFLICT (target, flow) DO UPDATE SET \(updates)",
            [target] + FlowRow.values(of: record))
    }

    private func insert(_ entry: LedgerEntry) throws(LedgerError) {
        let marks = String(repeating: ", ?", count: RunRow.entryColumnCount)
        try execute(
            "INSERT INTO run (target, flow, \(RunRow.entryColumns)) VALUES (?, ?\(marks))",
            [target, entry.run.flow.description] + RunRow.values(of: entry))
    }

    private func update(_ identity: RunIdentity, _ update: RunUpdate, at time: Timestamp) throws(LedgerError) {
        guard let before = try fetchEntries(of: identity.flow, Self.ofIdentity, key(of: identity)).first else {
            throw .unknownRun(identity)
        }
        var entry = before
        try entry.apply(update, at: time)
        guard entry != before else { return }
        let marks = String(repeating: ", ?", count: RunRow.entryColumnCount).dropFirst(2)
        try execute(
            "UPDATE run SET (\(RunRow.entryColumns)) = (\(marks)) WHERE \(Self.ofIdentity)",
            RunRow.values(of: entry) + key(of: identity))
    }

    // MARK: Statements

    private typealias Values = [(any DatabaseValueConvertible)?]

    private func key(of identity: RunIdentity) -> Values {
        [
            target, identity.flow.description, identity.window?.start.seconds, identity.window?.end.seconds,
            identity.rerun ?? "", identity.attempt,
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
