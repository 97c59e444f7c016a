import FlowRuns
import Foundation
import GRDB
import Ledger
import Synchronization
import Text

/// A ledger in an SQLite file, shared by any number of targets and by any number of processes on one machine.
///
/// ```swift
/// let ledger = try SQLiteLedger.open(path: ".sluice/prod.sqlite", targets: target.identities, mode: .readWrite)
/// ```
///
/// Constraints and triggers in the file also enforce the invariants, so neither a bug nor a concurrent process can
/// record two active requests for one window, or two open claims for one flow.
package final class SQLiteLedger: LedgerStore {
    /// The access mode of the file.
    package enum Mode: Hashable, Sendable {
        /// Creates a missing file and its folder, and migrates an older schema.
        case readWrite
        /// Modifies nothing; a missing file reads as an empty ledger.
        case readOnly
    }

    let database: DatabaseQueue
    private let file: LedgerFile
    private let identity: FileIdentity?
    private let mode: Mode
    private let target: Int64?
    private let waiting = WaitingCommits()

    /// Opens the ledger file for one target.
    ///
    /// - Parameters:
    ///   - path: The path of the file, relative to the working directory.
    ///   - targets: The target's identity, followed by its identities in older versions of Sluice.
    ///   - mode: The access mode.
    /// - Throws: `LedgerError.unusable` if the file or its folder cannot be opened, created or written;
    ///   `LedgerError.corrupt` if the file is not a ledger; `LedgerError.newer(found:supported:)` if a newer
    ///   Sluice wrote the file, which is then not modified; `LedgerError.busy` if another process keeps the file
    ///   locked.
    package static func open(path: String, targets: [String], mode: Mode) throws(LedgerError) -> any LedgerStore {
        do {
            let file = LedgerFile(path: path)
            if mode == .readOnly, try !file.exists() { return EmptyLedger(path: file.path) }
            return try SQLiteLedger(file, targets, mode)
        } catch {
            throw LedgerError(error, file: path)
        }
    }

    private init(_ file: LedgerFile, _ targets: [String], _ mode: Mode) throws {
        self.file = file
        self.mode = mode
        switch mode {
        case .readWrite: database = try file.openForWriting()
        case .readOnly: database = try file.openForReading()
        }
        identity = FileIdentity(path: file.path)
        let known = try database.inDatabase { connection in
            try targets.lazy.compactMap {
                try Int64.fetchOne(connection, sql: "SELECT id FROM target WHERE identity = ?", arguments: [$0])
            }.first
        }
        if known == nil, mode == .readWrite, let first = targets.first {
            target = try database.write { connection in
                try connection.execute(
                    sql: "INSERT INTO target (identity) VALUES (?) ON CONFLICT DO NOTHING", arguments: [first])
                return try Int64.fetchOne(
                    connection, sql: "SELECT id FROM target WHERE identity = ?", arguments: [first])
            }
        } else {
            target = known
        }
    }

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        if mode == .readOnly { throw .unusable("\(file.path) was opened for reading only") }
        // A claim in a file that was moved away would protect nothing. Outcomes are still recorded.
        if commit.hasClaim, FileIdentity(path: file.path) != identity { throw .replaced(file.path) }
        let result = await withCheckedContinuation { answer in
            guard waiting.add(commit, answer) else { return }
            database.asyncWriteWithoutTransaction { self.makeWaitingCommits($0) }
        }
        return try result.get()
    }

    /// Commits everything in one transaction (one fsync). If any is rejected, retries each in its own transaction.
    private func makeWaitingCommits(_ connection: Database) {
        let waiting = waiting.removeAll()
        let results = transaction(.immediate, connection) { rows in try waiting.map { try rows.make($0.commit) } }
        switch results {
        case .success(let results):
            for (waiting, result) in zip(waiting, results) { waiting.answer.resume(returning: .success(result)) }
        case .failure(.busy(let reason)):
            for waiting in waiting { waiting.answer.resume(returning: .failure(.busy(reason))) }
        case .failure:
            for waiting in waiting {
                waiting.answer.resume(returning: transaction(.immediate, connection) { try $0.make(waiting.commit) })
            }
        }
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await transaction(.deferred) { try $0.records() }
    }

    package func scan(
        _ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool
    ) async throws(LedgerError) {
        try await transaction(.deferred) { rows in
            let record = try rows.record(of: flow)
            guard visit(FlowEntries(record: record, entries: [])) else { return }
            try rows.scanEntries(of: flow) { visit(FlowEntries(record: record, entries: $0)) }
        }
    }

    package func scanRuns(
        _ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool
    ) async throws(LedgerError) {
        try await transaction(.deferred) { rows in
            let record = try rows.record(of: flow)
            guard visit(FlowSnapshot(record: record, runs: [])) else { return }
            try rows.scanRuns(of: flow) { visit(FlowSnapshot(record: record, runs: $0)) }
        }
    }

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        if mode == .readOnly { throw .unusable("\(file.path) was opened for reading only") }
        if FileIdentity(path: file.path) != identity { throw .replaced(file.path) }
        try await transaction(.immediate) { rows in
            try rows.withLargeCache { for flow in flows { try rows.add(flow) } }
        }
    }

    package func damage() async throws(LedgerError) -> [String] {
        do {
            return try await transaction(.deferred) { rows in
                let integrity = try String.fetchAll(rows.connection, sql: "PRAGMA integrity_check")
                let orphans = try Row.fetchAll(rows.connection, sql: "PRAGMA foreign_key_check").count
                return integrity.filter { $0 != "ok" } + (orphans == 0 ? [] : ["\(orphans) rows of unknown flows"])
            }
        } catch {
            guard case .corrupt(let reason) = error else { throw error }
            return [reason]
        }
    }

    package func close() async {
        // Fails only if the database is already closed, or if a statement is still active; in that case, releasing the
        // last reference closes the file.
        try? database.close()
    }

    private func transaction<Value: Sendable>(
        _ kind: Database.TransactionKind, _ body: @escaping @Sendable (SQLiteRows) throws -> Value
    ) async throws(LedgerError) -> Value {
        let result = await database.run(kind) { [target, file] in
            try body(SQLiteRows(connection: $0, target: target, file: file.path))
        }
        return try result.mapError { LedgerError($0, file: file.path) }.get()
    }

    private func transaction<Value>(
        _ kind: Database.TransactionKind, _ connection: Database, _ body: (SQLiteRows) throws -> Value
    ) -> Result<Value, LedgerError> {
        Result {
            try connection.transaction(kind) {
                try body(SQLiteRows(connection: connection, target: target, file: file.path))
            }
        }.mapError { LedgerError($0, file: file.path) }
    }
}

extension DatabaseQueue {
    /// Runs a transaction off the caller's thread.
    ///
    /// Unlike in GRDB's asynchronous methods, cancelling the task does not interrupt the transaction: an interrupted
    /// apply must still record the requests it has sent.
    func run<Value: Sendable>(
        _ kind: Database.TransactionKind, _ body: @escaping @Sendable (Database) throws -> Value
    ) async -> Result<Value, any Error> {
        await withCheckedContinuation { answer in
            asyncWriteWithoutTransaction { connection in
                answer.resume(returning: Result { try connection.transaction(kind) { try body(connection) } })
            }
        }
    }
}

extension Database {
    fileprivate func transaction<Value>(_ kind: TransactionKind, _ body: () throws -> Value) throws -> Value {
        var value: Value?
        try inTransaction(kind) {
            value = try body()
            return .commit
        }
        guard let value else { throw LedgerError.unusable("the transaction did not run") }
        return value
    }
}

/// The queue of this process's commits that wait for the file.
private final class WaitingCommits: Sendable {
    typealias Answer = CheckedContinuation<Result<CommitResult, LedgerError>, Never>

    private let waiting = Mutex<[(commit: FlowCommit, answer: Answer)]>([])

    /// Appends a commit to the queue.
    ///
    /// - Returns: `true` if the queue was empty; the caller must then schedule the transaction.
    func add(_ commit: FlowCommit, _ answer: Answer) -> Bool {
        waiting.withLock { waiting in
            waiting.append((commit, answer))
            return waiting.count == 1
        }
    }

    func removeAll() -> [(commit: FlowCommit, answer: Answer)] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

/// Returns the version of the SQLite library in use, such as `3.40.1`, or `nil` if the query fails.
package func sqliteVersion() -> String? {
    try? DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") }
}
