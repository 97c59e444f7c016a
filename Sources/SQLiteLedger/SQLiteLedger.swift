import FlowRuns
import Foundation
import GRDB
import Ledger

/// The embedded ledger: an SQLite file, in which one applier or many, in one process or many, on one machine, record
/// the runs of one target or many.
///
/// ```swift
/// let ledger = try SQLiteLedger.open(path: ".sluice/prod.sqlite", targets: target.identities, mode: .readWrite)
/// ```
///
/// The file's own indexes and triggers enforce the promises too, so neither a defect of this program nor a rival can
/// record two living requests for one window, or two open claims of one flow.
package final class SQLiteLedger: LedgerStore {
    /// What the file is opened for.
    package enum Mode: Hashable, Sendable {
        /// Creates the file and its folder where they are missing, and migrates an older one.
        case readWrite
        /// Leaves everything as it is: a missing file is an empty ledger.
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
    ///   - path: of the file; a relative one is the working folder's.
    ///   - targets: the target's identity, and those that an older Sluice gave it.
    /// - Throws: ``LedgerError/unusable(_:)`` when the file or its folder cannot be opened, created or written;
    ///   ``LedgerError/corrupt(_:)`` when it is not a ledger; ``LedgerError/newer(found:supported:)``, before anything
    ///   is touched; ``LedgerError/busy(_:)``.
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

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        try await transaction(.deferred) { rows in
            FlowSnapshot(record: try rows.record(of: flow), runs: try rows.runs(of: flow))
        }
    }

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        if mode == .readOnly { throw .unusable("\(file.path) was opened for reading only") }
        // A claim in a file that nobody finds any more would protect nothing. What became of a request is still recorded.
        if commit.hasClaim, FileIdentity(path: file.path) != identity { throw .replaced(file.path) }
        let result = await withCheckedContinuation { answer in
            guard waiting.add(commit, answer) else { return }
            database.asyncWriteWithoutTransaction { self.makeWaitingCommits($0) }
        }
        return try result.get()
    }

    /// All in one transaction, which the disk is waited for once; where one of them is refused, each in its own.
    private func makeWaitingCommits(_ connection: Database) {
        let waiting = waiting.takeAll()
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

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        try await transaction(.deferred) { rows in
            FlowEntries(record: try rows.record(of: flow), entries: try rows.entries(of: flow))
        }
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
        // Fails only when it is closed already, or in use by a statement that has not ended; the file is then closed
        // with the last reference to it.
        try? database.close()
    }

    /// Runs one transaction, off the caller's thread. Unlike GRDB's own asynchronous methods it does not stop when the
    /// task is cancelled: an interrupted apply must still record what it has sent.
    private func transaction<Value: Sendable>(
        _ kind: Database.TransactionKind, _ body: @escaping @Sendable (SQLiteRows) throws -> Value
    ) async throws(LedgerError) -> Value {
        let result = await withCheckedContinuation { answer in
            database.asyncWriteWithoutTransaction { answer.resume(returning: self.transaction(kind, $0, body)) }
        }
        return try result.get()
    }

    private func transaction<Value>(
        _ kind: Database.TransactionKind, _ connection: Database, _ body: (SQLiteRows) throws -> Value
    ) -> Result<Value, LedgerError> {
        Result {
            let rows = SQLiteRows(connection: connection, target: target, file: file.path)
            var value: Value?
            try connection.inTransaction(kind) {
                value = try body(rows)
                return .commit
            }
            guard let value else { throw LedgerError.unusable("\(file.path): the transaction did not run") }
            return value
        }.mapError { LedgerError($0, file: file.path) }
    }
}

/// Which file is at a path: another one after it was replaced, none after it was removed.
private struct FileIdentity: Hashable {
    private let device: UInt64
    private let number: UInt64

    init?(path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: information.st_dev)
        number = UInt64(truncatingIfNeeded: information.st_ino)
    }
}
