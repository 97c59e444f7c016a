import FlowRuns
import Foundation
import Ledger
import Synchronization

/// The shared ledger: a schema in a PostgreSQL database, in which any number of appliers on any number of machines record
/// the runs of one target or many.
///
/// ```swift
/// let ledger = try await PostgresLedger.open("postgres://sluice@db/ledgers", targets: target.identities, mode: .readWrite)
/// ```
///
/// Nothing lives in a session, so it works through PgBouncer in transaction mode: no lock outlives a transaction, no
/// setting, no prepared statement. A connection that is lost is made again.
package final class PostgresLedger: LedgerStore {
    /// What the ledger is opened for.
    package enum Mode: Hashable, Sendable {
        /// Makes the tables where they are missing.
        case readWrite
        /// Leaves everything as it is: a database without the tables is an empty ledger. A standby will do.
        case readOnly
    }

    package struct Options: Sendable {
        /// How long the server may be silent while a statement is under way.
        package var answerLimit = Duration.seconds(15)
        /// How long a call tries again where the server is gone, restarts, or has no connection to give.
        package var retryTime = Duration.seconds(20)
        /// The same when the ledger is opened: a wrong address should not take long to tell.
        package var openingRetryTime = Duration.seconds(5)
        package var mostConnections = 4
        /// What libpq reads its settings from.
        package var environment = ProcessInfo.processInfo.environment

        package init() {}
    }

    /// What is risky about the server, in words.
    package let warnings: [String]
    private let pool: ConnectionPool
    /// The address, for messages.
    private let address: String
    private let mode: Mode
    private let options: Options
    private let target: Int64?
    /// Whether there are tables. Where there are none, reading finds nothing.
    private let isThere: Bool

    /// Connects, and opens the ledger for one target.
    ///
    /// - Parameters:
    ///   - address: `postgres://USER@HOST:PORT/DATABASE?…` as libpq reads it, without a password; `postgres:` for what
    ///     libpq's environment says.
    ///   - targets: the target's identity, and those that an older Sluice gave it.
    /// - Throws: ``LedgerError/unusable(_:)`` when libpq is not installed, the server refuses the user, or a right is
    ///   missing; ``LedgerError/unanswered(_:)`` when the server cannot be reached; ``LedgerError/busy(_:)`` when it has
    ///   no connection to give; ``LedgerError/newer(found:supported:)``, before anything is touched.
    package static func open(
        _ address: String, targets: [String], mode: Mode, options: Options = Options()
    ) async throws(LedgerError) -> PostgresLedger {
        let server = ServerAddress(address, isForWriting: mode == .readWrite, environment: options.environment)
        let pool = ConnectionPool(server, most: options.mostConnections, limit: options.answerLimit)
        do throws(LedgerError) {
            let retries = Retries(pool: pool, address: address)
            let (found, target) = try await retries.run(for: options.openingRetryTime) {
                (connection) throws(PostgresError) in try connection.open(targets, mode)
            }
            return PostgresLedger(found, target, pool, address, mode, options)
        } catch {
            await pool.close()
            throw error
        }
    }

    private init(
        _ found: PostgresConnection.Found, _ target: Int64?, _ pool: ConnectionPool, _ address: String, _ mode: Mode,
        _ options: Options
    ) {
        self.pool = pool
        self.address = address
        self.mode = mode
        self.options = options
        self.target = target
        isThere = found.version != nil
        warnings =
            found.fsync == "off"
            ? ["\(address): fsync is off on the server: it may lose the ledger when the machine stops"] : []
    }

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        guard isThere else { return FlowSnapshot(record: FlowRecord(id: flow), runs: []) }
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
        guard isThere else { return [] }
        return try await read { [target] (connection) throws(PostgresError) in try connection.records(target: target) }
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        guard isThere else { return FlowEntries(record: FlowRecord(id: flow), entries: []) }
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

    /// - Parameters:
    ///   - first: is given the record, and says whether the rows are wanted.
    ///   - rows: reads them.
    private func scan(
        _ flow: FlowID, first: @escaping @Sendable (FlowRecord) -> Bool,
        rows: @escaping @Sendable (PostgresConnection, FlowRecord) throws(PostgresError) -> Void
    ) async throws(LedgerError) {
        guard isThere else {
            _ = first(FlowRecord(id: flow))
            return
        }
        // What was handed over cannot be taken back, so it is tried again only while that is nothing.
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
        guard isThere else { return [] }
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
    ) throws(PostgresError) -> (Found, target: Int64?) {
        var found = try transaction(.read) { (connection) throws(PostgresError) in try connection.findLedger() }
        guard found.encoding == "UTF8" else {
            throw .ledger(
                .unusable("the database has the encoding \(found.encoding): create one with ENCODING 'UTF8'"))
        }
        if mode == .readWrite, found.version ?? 0 < PostgresSchema.version {
            try migrate()
            found = try transaction(.read) { (connection) throws(PostgresError) in try connection.findLedger() }
        }
        if mode == .readWrite { try settleServerChange() }
        guard found.version != nil else { return (found, nil) }
        let target = try transaction(mode == .readWrite ? .write : .read) { (connection) throws(PostgresError) in
            try connection.target(targets, adding: mode == .readWrite)
        }
        return (found, target)
    }
}

/// Does the same again while the server is gone, restarts, or has no connection to give. Every statement of the ledger
/// may be run twice: reads change nothing, and a commit is recognised by its token.
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

    /// Also where the task is cancelled: what was sent is still to be recorded.
    private static func sleep(_ duration: Duration) async {
        await Task.detached { try? await Task.sleep(for: duration) }.value
    }
}
