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
    /// How many rows are handed over at once.
    private static let partSize = 1_000
    /// In KiB.
    private static let usualCache = 2_000
    private static let largeCache = 96 << 10
    private static let inOrder = "ORDER BY window_start, window_end, rerun, attempt"

    // MARK: Read

    func record(of flow: FlowID) throws(LedgerError) -> FlowRecord {
        let known = try fetch("SELECT \(FlowRow.columns) FROM flow WHERE target = ? AND flow = ?", of: flow) {
            (columns) throws(LedgerError) in try FlowRow.record(from: &columns)
        }
        return known.first ?? FlowRecord(id: flow)
    }

    /// Sorted.
    func records() throws(LedgerError) -> [FlowRecord] {
        try fetch("SELECT \(FlowRow.columns) FROM flow WHERE target = ? ORDER BY flow", of: nil) {
            (columns) throws(LedgerError) in try FlowRow.record(from: &columns)
        }
    }

    func runs(of flow: FlowID) throws(LedgerError) -> [RecordedRun] {
        try all { (visit) throws(LedgerError) in try scanRuns(of: flow, visit: visit) }
    }

    func entries(of flow: FlowID) throws(LedgerError) -> [LedgerEntry] {
        try all { (visit) throws(LedgerError) in try scanEntries(of: flow, visit: visit) }
    }

    func scanRuns(of flow: FlowID, visit: ([RecordedRun]) -> Bool) throws(LedgerError) {
        try scan(RunRow.planningColumns, of: flow, RunRow.plannedRun, visit: visit)
    }

    func scanEntries(of flow: FlowID, visit: ([LedgerEntry]) -> Bool) throws(LedgerError) {
        try scan(RunRow.entryColumns, of: flow, RunRow.entry, visit: visit)
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

    /// Hands over so many rows at a time, until there are no more or `visit` returns `false`.
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

    /// Rows in order of their windows are in no order of their run ids: without room for that index, nearly every row
    /// reads a page and writes one.
    func withLargeCache<Value>(_ body: () throws -> Value) throws -> Value {
        try connection.execute(sql: "PRAGMA cache_size = -\(Self.largeCache)")
        defer { try? connection.execute(sql: "PRAGMA cache_size = -\(Self.usualCache)") }
        return try body()
    }

    /// Gives the flow its new record where it has the expected revision, and makes the changes that come with it.
    private func swap(
        _ record: FlowRecord, expecting: Revision, _ change: () throws(LedgerError) -> Void
    ) throws(LedgerError) -> CommitResult {
        let revision = try self.record(of: record.id).revision
        if revision == record.revision { return .done }
        guard revision == expecting else { return .conflict }
        try execute(Self.flowReplacement) {
            $0.bind(target)
            FlowRow.bind(record, to: &$0)
        }
        try change()
        return .done
    }

    private func insert(_ entries: [LedgerEntry]) throws(LedgerError) {
        do {
            var statement = try PreparedStatement(connection, Self.insertion)
            for entry in entries {
                bind(entry.run.flow, to: &statement)
                RunRow.bind(entry, to: &statement)
                _ = try statement.step()
                statement.reset()
            }
        } catch {
            throw LedgerError(error, file: file)
        }
    }

    private static let flowReplacement: String = {
        let updates = FlowRow.columnNames.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        return "INSERT INTO flow (target, \(FlowRow.columns)) VALUES (?, \(marks(for: FlowRow.columns))) "
            + "ON CONFLICT (target, flow) DO UPDATE SET \(updates)"
    }()

    private static let insertion =
        "INSERT INTO run (target, flow, \(RunRow.entryColumns)) VALUES (?, ?, \(marks(for: RunRow.entryColumns)))"
    private static let runChange = update(of: RunRow.changingColumns)
    private static let runReplacement = update(of: RunRow.entryColumns)

    private static func update(of columns: String) -> String {
        "UPDATE run SET (\(columns)) = (\(marks(for: columns))) WHERE \(ofIdentity)"
    }

    private static func marks(for columns: String) -> String {
        columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")
    }

    private func update(_ identity: RunIdentity, _ update: RunUpdate, at time: Timestamp) throws(LedgerError) {
        var found: LedgerEntry?
        try each(
            "SELECT \(RunRow.entryColumns) FROM run WHERE \(Self.ofIdentity)", bind: { bind(identity, to: &$0) }
        ) { (columns) throws(LedgerError) in
            found = try RunRow.entry(of: identity.flow, from: &columns)
            return false
        }
        guard let before = found else { throw .unknownRun(identity) }
        var entry = before
        try entry.apply(update, at: time)
        guard entry != before else { return }
        // Each column that is set costs the indexes that it is in.
        if entry.run.identity == identity {
            try execute(Self.runChange) {
                RunRow.bindChanging(entry, to: &$0)
                bind(identity, to: &$0)
            }
        } else {
            try execute(Self.runReplacement) {
                RunRow.bind(entry, to: &$0)
                bind(identity, to: &$0)
            }
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

    /// - Parameter flow: the statement's second parameter, where it has one.
    private func fetch<Value>(
        _ sql: String, of flow: FlowID?, _ read: (inout ColumnReader) throws(LedgerError) -> Value
    ) throws(LedgerError) -> [Value] {
        var found: [Value] = []
        try each(
            sql,
            bind: {
                $0.bind(target)
                if let flow { $0.bind(flow.description) }
            }
        ) { (columns) throws(LedgerError) in
            found.append(try read(&columns))
            return true
        }
        return found
    }

    /// - Parameter read: is given each row, until it returns `false`.
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
