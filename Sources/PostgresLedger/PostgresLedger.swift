import FlowRuns
import Foundation
import Ledger

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
        /// Maximum time for retries while the server is unreachable, restarts, or has no free connection. Long enough for
        /// a standby to take over.
        package var retryTime = Duration.seconds(60)
        /// Maximum time for retries when the ledger is opened. Shorter, so that a wrong address is reported soon.
        package var openingRetryTime = Duration.seconds(5)
        package var maxConnections = 4
        /// The environment from which libpq reads its settings.
        package var environment = ProcessInfo.processInfo.environment

        package init() {}
    }

    private let pool: ConnectionPool
    /// The server's address, for messages.
    private let address: String
    private let mode: Mode
    private let target: Int64?

    /// Connects to the server, and opens the ledger of one target.
    ///
    /// - Parameters:
    ///   - address: `postgres://USER@HOST:PORT/DATABASE?…` in libpq's syntax, without a password; `postgres:` to use
    ///     libpq's environment.
    ///   - targets: the target's identity, followed by the identities that older versions of Sluice gave it.
    ///   - mode: the access mode.
    ///   - options: time limits, the number of connections, and the environment.
    ///   - warn: receives warnings about risky settings of the server.
    /// - Throws: `LedgerError.unusable` when libpq is not installed, the server refuses the user, or a privilege
    ///   is missing; `LedgerError.unanswered` when the server cannot be reached; `LedgerError.unavailable` when
    ///   the server has no free connection; `LedgerError.newer(found:supported:)` when a newer version of Sluice
    ///   created the tables, before anything is changed.
    package static func open(
        _ address: String, targets: [String], mode: Mode, options: Options = Options(),
        warn: (String) -> Void = { _ in }
    ) async throws(LedgerError) -> any LedgerStore {
        let server = ServerAddress(address, isForWriting: mode == .readWrite, environment: options.environment)
        let pool = ConnectionPool(server, maxConnections: options.maxConnections, limit: options.answerLimit)
        do throws(LedgerError) {
            let (schema, target) = try await retrying(for: options.openingRetryTime) {
                () async throws(LedgerError) in
                try await pool.run { (connection) throws(PostgresError) in try connection.open(targets, mode) }
            }
            if schema.fsync == "off" {
                warn("\(address): fsync is off on the server: it may lose the ledger when the machine stops")
            }
            guard schema.version != nil else {
                await pool.close()
                return EmptyLedger(path: address)
            }
            return RetryingStore(
                PostgresLedger(pool, address, mode, target), reads: options.retryTime, commits: options.retryTime)
        } catch {
            await pool.close()
            throw error
        }
    }

    private init(_ pool: ConnectionPool, _ address: String, _ mode: Mode, _ target: Int64?) {
        self.pool = pool
        self.address = address
        self.mode = mode
        self.target = target
    }

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        try await write { [target] (connection) throws(PostgresError) in try connection.make(commit, target: target) }
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await read { [target] (connection) throws(PostgresError) in try connection.records(target: target) }
    }

    package func scan(
        _ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool
    ) async throws(LedgerError) {
        try await read { [target] (connection) throws(PostgresError) in
            let record = try connection.record(of: flow, target: target)
            guard visit(FlowEntries(record: record, entries: [])) else { return }
            try connection.scanEntries(of: flow, target: target) { visit(FlowEntries(record: record, entries: $0)) }
        }
    }

    package func scanRuns(
        _ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool
    ) async throws(LedgerError) {
        try await read { [target] (connection) throws(PostgresError) in
            let record = try connection.record(of: flow, target: target)
            guard visit(FlowSnapshot(record: record, runs: [])) else { return }
            try connection.scanRuns(of: flow, target: target) { visit(FlowSnapshot(record: record, runs: $0)) }
        }
    }

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        let result = try await write { [target] (connection) throws(PostgresError) in
            try connection.add(flows, target: target)
        }
        guard result == .done else { throw .busy("\(address): the server has changed meanwhile") }
    }

    package func damage() async throws(LedgerError) -> [String] {
        try await read { (connection) throws(PostgresError) in try connection.damage() }
    }

    package func close() async { await pool.close() }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(LedgerError) -> Value {
        try await pool.run { (connection) throws(PostgresError) in try connection.transaction(.read, body) }
    }

    private func write(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> PostgresConnection.CommitOutcome
    ) async throws(LedgerError) -> CommitResult {
        if mode == .readOnly { throw .unusable("\(address) was opened for reading only") }
        return try await pool.run { (connection) throws(PostgresError) in
            switch try body(connection) {
            case .done: return .done
            case .conflict: return .conflict
            case .serverChanged:
                try connection.settleServerChange()
                return .conflict
            }
        }
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
