import FlowRuns
import Foundation
import GRDB
import Ledger
import Synchronization
import Text

/// A local index of a ledger that is stored elsewhere, such as in a Git repository.
///
/// ```swift
/// let index = LedgerIndex(path: path) { print($0) }
/// await index.apply([LedgerIndex.Update(record: record, from: nil, to: commit, entries: entries)])
/// let flow = await index.entries(of: flow, version: commit)
/// ```
///
/// The index is a cache. Each flow has the version of the source that its rows reflect, and their number. A damaged or
/// deleted index is empty, and its owner fills it again. If the file cannot be used at all, the index exists only in this
/// process.
///
/// The tables have the columns of a ledger file without its constraints: the source decides what the ledger contains.
package final class LedgerIndex: Sendable {
    /// New rows of one flow.
    package struct Update: Sendable {
        package let record: FlowRecord
        let from: String?
        let to: String
        let replaced: [Range<Int64>?]?
        let entries: [LedgerEntry]

        /// Creates an update.
        ///
        /// - Parameters:
        ///   - record: The flow's record after the update.
        ///   - from: The version that the update is based on; `nil` if the index does not contain the flow. The update
        ///     has no effect on an index with another version.
        ///   - to: The version of the source after the update.
        ///   - replaced: The rows that `entries` replace, by the seconds in which their windows start, with `nil` for
        ///     rows of unknown windows; by default, all rows of the flow.
        ///   - entries: The new rows.
        package init(
            record: FlowRecord, from: String?, to: String, replacing replaced: [Range<Int64>?]? = nil,
            entries: [LedgerEntry]
        ) {
            self.record = record
            self.from = from
            self.to = to
            self.replaced = replaced
            self.entries = entries
        }
    }

    private static let target: Int64 = 1
    private static let schema = """
        CREATE TABLE flow
            (target, flow, \(SQLiteRows.flowColumns), version, row_count, PRIMARY KEY (target, flow)) WITHOUT ROWID;
        CREATE TABLE run (target, flow, \(SQLiteRows.entryColumns));
        CREATE INDEX run_order ON run (target, flow, window_start, window_end, rerun, attempt);
        CREATE INDEX open_requests ON run (target, flow) WHERE state IN ('intended', 'inDoubt');
        """
    /// A number that differs between versions of Sluice that store or parse rows differently.
    private static let format = Int32(truncatingIfNeeded: stableHash("\(LedgerExport.formatVersion) \(schema)"))

    private static let failuresUntilInMemory = 2

    private let path: String
    private let notice: @Sendable (String) -> Void
    private let state = Mutex<(database: DatabaseQueue?, failures: Int)>((nil, 0))

    /// Creates an index without opening its file.
    ///
    /// - Parameters:
    ///   - path: The path of the file, in an existing folder.
    ///   - notice: Receives a line for the user when a damaged file is replaced.
    package init(path: String, notice: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.notice = notice
    }

    // MARK: Read

    /// Returns the flows with the version of each.
    package func flows() async -> [FlowID: (record: FlowRecord, version: String)] {
        await transaction(.deferred) { rows in
            let records = try rows.records()
            let versions = try String.fetchAll(
                rows.connection, sql: "SELECT version FROM flow WHERE target = \(Self.target) ORDER BY flow")
            return Dictionary(uniqueKeysWithValues: zip(records, versions).map { ($0.id, (record: $0, version: $1)) })
        } ?? [:]
    }

    /// Returns what planning needs of a flow; `nil` if the index has another version.
    package func snapshot(of flow: FlowID, version: String) async -> FlowSnapshot? {
        await read(flow, version) { FlowSnapshot(record: $1, runs: try $0.runs(of: flow)) }
    }

    /// Returns a flow with the full rows of its runs; `nil` if the index has another version.
    package func entries(of flow: FlowID, version: String) async -> FlowEntries? {
        await read(flow, version) { FlowEntries(record: $1, entries: try $0.entries(of: flow)) }
    }

    /// Returns the rows that a change to a flow could contradict: the flow's open requests, and the rows of any flow
    /// with one of the run IDs.
    ///
    /// - Parameters:
    ///   - flow: The flow that the change is made to.
    ///   - version: The version of the flow that the change is based on. Rows of the flow from another version are left
    ///     out.
    ///   - runs: The run IDs that the change adds.
    package func rows(openIn flow: FlowID, version: String?, orOf runs: [RunID]) async -> [LedgerEntry]? {
        await transaction(.immediate) { rows in
            // Only commits need this index.
            try rows.connection.execute(sql: "CREATE INDEX IF NOT EXISTS run_ids ON run (run)")
            let isSame = try Self.version(of: flow, rows)?.name == version
            return try rows.entries(openIn: flow, orOf: runs).filter { isSame || $0.run.flow != flow }
        }
    }

    private func read<Value: Sendable>(
        _ flow: FlowID, _ version: String, _ body: @escaping @Sendable (SQLiteRows, FlowRecord) throws -> Value
    ) async -> Value? {
        let value: Value?? = await transaction(.deferred) { rows in
            guard let known = try Self.version(of: flow, rows), known.name == version else { return nil }
            // A damaged file can lack rows without an error of SQLite.
            let count = try Int.fetchOne(
                rows.connection, sql: "SELECT count(*) FROM run WHERE target = \(Self.target) AND flow = ?",
                arguments: [flow.description])
            guard count == known.rows else { throw LedgerError.corrupt("\(self.path): rows are missing") }
            return try body(rows, try rows.record(of: flow))
        }
        return value ?? nil
    }

    // MARK: Write

    package func apply(_ updates: [Update]) async {
        _ = await transaction(.immediate) { rows in
            try rows.withLargeCache { for update in updates { try Self.apply(update, rows) } }
        }
    }

    package func remove(_ flows: [FlowID]) async {
        _ = await transaction(.immediate) { rows in
            for flow in flows {
                for table in ["run", "flow"] { try Self.delete(from: table, flow, rows) }
            }
        }
    }

    private static func apply(_ update: Update, _ rows: SQLiteRows) throws {
        let flow = update.record.id
        let known = try version(of: flow, rows)
        guard known?.name == update.from else { return }
        var count = update.entries.count
        if let replaced = update.replaced {
            count += known?.rows ?? 0
            for span in replaced {
                let (condition, bounds): (String, StatementArguments) =
                    if let span {
                        ("AND window_start >= ? AND window_start < ?", [span.lowerBound, span.upperBound])
                    } else { ("AND window_start IS NULL", []) }
                count -= try delete(from: "run", flow, rows, condition, bounds)
            }
        } else {
            try delete(from: "run", flow, rows)
        }
        try rows.replace(update.record)
        try rows.connection.execute(
            sql: "UPDATE flow SET version = ?, row_count = ? WHERE target = \(target) AND flow = ?",
            arguments: [update.to, count, flow.description])
        try rows.insert(update.entries)
    }

    /// Deletes rows of a flow, and returns their number.
    @discardableResult
    private static func delete(
        from table: String, _ flow: FlowID, _ rows: SQLiteRows, _ condition: String = "",
        _ arguments: StatementArguments = []
    ) throws -> Int {
        try rows.connection.execute(
            sql: "DELETE FROM \(table) WHERE target = \(target) AND flow = ? \(condition)",
            arguments: [flow.description] + arguments)
        return rows.connection.changesCount
    }

    private static func version(of flow: FlowID, _ rows: SQLiteRows) throws -> (name: String, rows: Int)? {
        try Row.fetchOne(
            rows.connection, sql: "SELECT version, row_count FROM flow WHERE target = \(target) AND flow = ?",
            arguments: [flow.description]
        ).map { (name: try $0.decode(forColumn: "version"), rows: try $0.decode(forColumn: "row_count")) }
    }

    // MARK: The file

    /// Runs a transaction; returns `nil` if the index is damaged. It is empty afterwards.
    private func transaction<Value: Sendable>(
        _ kind: Database.TransactionKind, _ body: @escaping @Sendable (SQLiteRows) throws -> Value
    ) async -> Value? {
        guard let database = database() else { return nil }
        let result = await database.run(kind) { connection in
            try body(SQLiteRows(connection: connection, target: Self.target, file: self.path))
        }
        if case .failure(let error) = result { abandon(database, error) }
        return try? result.get()
    }

    /// Stops using the file, which other processes keep locked or keep changing to other versions. The index then exists
    /// only in this process.
    package func leaveFile() { state.withLock { $0 = (nil, Self.failuresUntilInMemory) } }

    private func database() -> DatabaseQueue? {
        state.withLock { state in
            while state.database == nil, state.failures < 4 {
                do {
                    if state.failures == 1 { for end in ["", "-wal", "-shm"] { unlink(path + end) } }
                    state.database = try open(inMemory: state.failures >= Self.failuresUntilInMemory)
                } catch { fail(&state, error) }
            }
            return state.database
        }
    }

    private func open(inMemory: Bool) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(LedgerFile.busyTimeout)
        // A power cut may undo the last updates, but does not damage the file.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        // The rows contain requests, which other users may not read. The log gets the mode of the file.
        if !inMemory { close(Foundation.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)) }
        let database = try inMemory ? DatabaseQueue() : DatabaseQueue(path: path, configuration: configuration)
        try database.inDatabase { connection in
            if !inMemory { try LedgerFile(path: path).turnOnWriteAheadLog(connection) }
            var isNew = true
            try connection.inTransaction(.immediate) {
                isNew = try Int32.fetchOne(connection, sql: "PRAGMA user_version") != Self.format
                guard isNew else { return .commit }
                for table in ["run", "flow"] { try connection.execute(sql: "DROP TABLE IF EXISTS \(table)") }
                try connection.execute(sql: Self.schema)
                try connection.execute(sql: "PRAGMA user_version = \(Self.format)")
                return .commit
            }
            // Waiting for the disk costs half of the time in which a new index is filled. A power cut in the seconds
            // until the system has written the file leaves pages without rows, which the count of the rows shows.
            if isNew { try connection.execute(sql: "PRAGMA synchronous = OFF") }
        }
        return database
    }

    private func abandon(_ database: DatabaseQueue, _ error: any Error) {
        state.withLock { state in
            // Concurrent readers find the same damage.
            if state.database === database { fail(&state, error) }
        }
    }

    private func fail(_ state: inout (database: DatabaseQueue?, failures: Int), _ error: any Error) {
        if case .busy = LedgerError(error, file: path) {
            state = (nil, max(state.failures + 1, Self.failuresUntilInMemory))
            return
        }
        if state.failures == 0 { notice("the local index \(path) is damaged and is built again") }
        state = (nil, state.failures + 1)
    }
}
