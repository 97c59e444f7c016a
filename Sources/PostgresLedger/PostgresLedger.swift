import FlowRuns
import Foundation
import Ledger
import Synchronization

/// A shared ledger: a schema in a PostgreSQL database, in which any number of machines record the runs of one or more
/// targets.
///
/// ```swift
/// let ledger = try await PostgresLedger.open("postgres://sluice@db/ledgers", targets: target.identities, mode: .readWrite)
/// ```
///
/// No lock, setting or prepared statement outlives its transaction, so the ledger works through PgBouncer in
/// transaction mode. Lost connections are re-established.
package final class PostgresLedger: LedgerStore {
    /// Access modes of the ledger.
    package enum Mode: Hashable, Sendable {
        /// Creates the tables if they are missing.
        case readWrite
        /// Changes nothing. A database without the tables is an empty ledger. A standby is sufficient.
        case readOnly
    }

    package struct Options: Sendable {
        /// Maximum time without an answer from the server during a statement.
        package var answerLimit = Duration.seconds(15)
        /// Maximum time for retries while the server is unreachable, restarts, or has no free connection.
        package var retryTime = Duration.seconds(20)
        /// Maximum time for retries when the ledger is opened. Shorter, so that a wrong address is reported soon.
        package var openingRetryTime = Duration.seconds(5)
        package var maxConnections = 4
        /// The environment from which libpq reads its settings.
        package var environment = ProcessInfo.processInfo.environment

        package init() {}
    }

    /// Warnings about risky settings of the server.
    package let warnings: [String]
    private let pool: ConnectionPool
    /// The server's address, for messages.
    private let address: String
    private let mode: Mode
    private let options: Options
    private let target: Int64?
    /// Whether the tables exist. Without them, reads return nothing.
    private let schemaExists: Bool

    /// Connects to the server, and opens the ledger of one target.
    ///
    /// - Parameters:
    ///   - address: `postgres://USER@HOST:PORT/DATABASE?…` in libpq's syntax, without a password; `postgres:` to use
    ///     libpq's environment.
    ///   - targets: the target's identity, followed by the identities that older versions of Sluice gave it.
    ///   - mode: the access mode.
    ///   - options: time limits, the number of connections, and the environment.
    /// - Throws: `LedgerError.unusable` when libpq is not installed, the server refuses the user, or a privilege
    ///   is missing; `LedgerError.unanswered` when the server cannot be reached; `LedgerError.busy` when
    ///   the server has no free connection; `LedgerError.newer(found:supported:)` when a newer version of Sluice
    ///   created the tables, before anything is changed.
    package static func open(
        _ address: String, targets: [String], mode: Mode, options: Options = Options()
    ) async throws(LedgerError) -> PostgresLedger {
        let server = ServerAddress(address, isForWriting: mode == .readWrite, environment: options.environment)
        let pool = ConnectionPool(server, maxConnections: options.maxConnections, limit: options.answerLimit)
        do throws(LedgerError) {
            let retries = Retries(pool: pool, address: address)
            let (schema, target) = try await retries.run(for: options.openingRetryTime) {
                (connection) throws(PostgresError) in try connection.open(targets, mode)
            }
            return PostgresLedger(schema, target, pool, address, mode, options)
        } catch {
            await pool.close()
            throw error
        }
    }

    private init(
        _ schema: PostgresConnection.SchemaInspection, _ target: Int64?, _ pool: ConnectionPool, _ address: String,
        _ mode: Mode,
        _ options: Options
    ) {
        self.pool = pool
        self.address = address
        self.mode = mode
        self.options = options
        self.target = target
        schemaExists = schema.version != nil
        warnings =
            schema.fsync == "off"
            ? ["\(address): fsync is off on the server: it may lose the ledger when the machine stops"] : []
    }

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        guard schemaExists else { return FlowSnapshot(record: FlowRecord(id: flow), runs: []) }
        return try await read { [target] (connection) throws(PostgresError) in
            FlowSnapshot(
                record: try connection.record(of: flow, target: target),
                runs: try connection.runs(of: flow, target: target))
        }
    }

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        try await write { [target] (connection) throws(PostgresError) in try connection.make(commit, target: target) }
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        guard schemaExists else { return [] }
        return try await read { [target] (connection) throws(PostgresError) in try connection.records(target: target) }
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        guard schemaExists else { return FlowEntries(record: FlowRecord(id: flow), entries: []) }
        return try await read { [target] (connection) throws(PostgresError) in
            FlowEntries(
                record: try connection.record(of: flow, target: target),
                entries: try connection.entries(of: flow, target: target))
        }
    }

    package func scan(
        _ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool
    ) async throws(LedgerError) {
        try await scan(flow, first: { visit(FlowEntries(record: $0, entries: [])) }) {
            [target] (connection, record) throws(PostgresError) in
            try connection.scanEntries(of: flow, target: target) { visit(FlowEntries(record: record, entries: $0)) }
        }
    }

    package func scanRuns(
        _ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool
    ) async throws(LedgerError) {
        try await scan(flow, first: { visit(FlowSnapshot(record: $0, runs: [])) }) {
            [target] (connection, record) throws(PostgresError) in
            try connection.scanRuns(of: flow, target: target) { visit(FlowSnapshot(record: record, runs: $0)) }
        }
    }

    /// Reads a flow's record and then its rows, in one transaction.
    ///
    /// - Parameters:
    ///   - first: receives the record, and returns whether to read the rows.
    ///   - rows: reads the rows.
    private func scan(
        _ flow: FlowID, first: @escaping @Sendable (FlowRecord) -> Bool,
        rows: @escaping @Sendable (PostgresConnection, FlowRecord) throws(PostgresError) -> Void
    ) async throws(LedgerError) {
        guard schemaExists else {
            _ = first(FlowRecord(id: flow))
            return
        }
        // Retry only until the first delivery to `first`, because delivered rows cannot be withdrawn.
        let hasBegun = Mutex(false)
        try await read { [target] (connection) throws(PostgresError) in
            if hasBegun.withLock({ $0 }) { throw .ledger(.unanswered("the connection was lost while it was read")) }
            let record = try connection.record(of: flow, target: target)
            hasBegun.withLock { $0 = true }
            if first(record) { try rows(connection, record) }
        }
    }

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        let result = try await write { [target] (connection) throws(PostgresError) in
            try connection.add(flows, target: target)
        }
        guard result == .done else { throw .busy("\(address): the server has changed meanwhile") }
    }

    package func damage() async throws(LedgerError) -> [String] {
        guard schemaExists else { return [] }
        return try await read { (connection) throws(PostgresError) in try connection.damage() }
    }

    package func close() async { await pool.close() }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(LedgerError) -> Value {
        try await perform { (connection) throws(PostgresError) in try connection.transaction(.read, body) }
    }

    private func write(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> PostgresConnection.CommitOutcome
    ) async throws(LedgerError) -> CommitResult {
        if mode == .readOnly { throw .unusable("\(address) was opened for reading only") }
        return try await perform { (connection) throws(PostgresError) in
            switch try body(connection) {
            case .done: return .done
            case .conflict: return .conflict
            case .serverChanged:
                try connection.settleServerChange()
                return .conflict
            }
        }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(LedgerError) -> Value {
        try await Retries(pool: pool, address: address).run(for: options.retryTime, body)
    }
}

extension PostgresConnection {
    fileprivate func open(
        _ targets: [String], _ mode: PostgresLedger.Mode
    ) throws(PostgresError) -> (SchemaInspection, target: Int64?) {
        var schema = try transaction(.read) { (connection) throws(PostgresError) in try connection.inspectSchema() }
        guard schema.encoding == "UTF8" else {
            throw .ledger(
                .unusable("the database has the encoding \(schema.encoding): create one with ENCODING 'UTF8'"))
        }
        if mode == .readWrite, schema.version ?? 0 < PostgresSchema.version {
            try migrate()
            schema = try transaction(.read) { (connection) throws(PostgresError) in try connection.inspectSchema() }
        }
        if mode == .readWrite { try settleServerChange() }
        guard schema.version != nil else { return (schema, nil) }
        let target = try transaction(mode == .readWrite ? .write : .read) { (connection) throws(PostgresError) in
            try connection.target(targets, adding: mode == .readWrite)
        }
        return (schema, target)
    }
}

/// Retries operations while the server is unreachable, restarts, or has no free connection. Every operation of the
/// ledger may run twice: reads change nothing, and a repeated commit is recognised by its token.
private struct Retries {
    let pool: ConnectionPool
    let address: String

    func run<Value: Sendable>(
        for retryTime: Duration, _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(LedgerError) -> Value {
        let end = ContinuousClock.now + retryTime
        var pause = Duration.milliseconds(20)
        while true {
            do throws(PostgresError) {
                return try await pool.run(body)
            } catch {
                guard error.isTransient, ContinuousClock.now + pause < end else { throw error.ledgerError(address) }
            }
            await Self.sleep(pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// Sleeps even when the task is cancelled, because sent requests must still be recorded.
    private static func sleep(_ duration: Duration) async {
        await Task.detached { try? await Task.sleep(for: duration) }.value
    }
}
