import FlowRuns
import GRDB
import Ledger

/// The embedded ledger: an SQLite file, in which one applier or many, in one process or many, on one machine, record
/// the runs of one target or many.
///
/// ```swift
/// let ledger = try SQLiteLedger.open(path: ".sluice/prod.sqlite", target: target.identity, mode: .readWrite)
/// ```
///
/// Claims are kept apart by the file's own unique indexes, so neither a defect of this program nor a rival can record
/// two living requests for one window.
package final class SQLiteLedger: Ledger {
    /// What the file is opened for.
    package enum Mode: Hashable, Sendable {
        /// Creates the file and its folder where they are missing, and migrates an older one.
        case readWrite
        /// Leaves everything as it is: a missing file is an empty ledger.
        case readOnly
    }

    let database: DatabaseQueue
    private let file: String
    private let mode: Mode
    private let target: Int64?
    private let locks: FlowLockFiles
    private let marks: ClaimMarks

    /// Opens the ledger file for one target.
    ///
    /// - Parameters:
    ///   - path: of the file; a relative one is the working folder's.
    ///   - target: the target's identity (`Target.identity`).
    ///   - stateFolder: where this machine keeps what is not copied along with the file, such as `~/.local/state`: by it
    ///     an old copy of the file is found out. Without one, the folder of the ledger's locks.
    /// - Throws: ``LedgerError/unusable(_:)`` when the file or its folder cannot be opened, created or written;
    ///   ``LedgerError/corrupt(_:)`` when it is not a ledger; ``LedgerError/newer(found:supported:)``, before anything
    ///   is touched; ``LedgerError/busy(_:)``.
    package static func open(
        path: String, target: String, mode: Mode, stateFolder: String? = nil
    ) throws(LedgerError) -> SQLiteLedger {
        do {
            return try SQLiteLedger(LedgerFile(path: path), target, mode, stateFolder)
        } catch {
            throw LedgerError(error, file: path)
        }
    }

    private init(_ file: LedgerFile, _ identity: String, _ mode: Mode, _ stateFolder: String?) throws {
        self.file = file.path
        self.mode = mode
        switch mode {
        case .readWrite:
            database = try file.openForWriting()
            try database.write {
                try $0.execute(
                    sql: "INSERT INTO target (identity) VALUES (?) ON CONFLICT DO NOTHING", arguments: [identity])
            }
        case .readOnly:
            database = try file.openForReading()
        }
        target = try database.inDatabase {
            try Int64.fetchOne($0, sql: "SELECT id FROM target WHERE identity = ?", arguments: [identity])
        }
        locks = FlowLockFiles(ledger: file.path, target: identity)
        marks = ClaimMarks(beside: locks, stateFolder: stateFolder)
    }

    package func lock(_ flow: FlowID) async throws(LedgerError) -> (any FlowLock)? {
        try refuseWhenReadOnly()
        guard let lock = try locks.lock(flow) else { return nil }
        do throws(LedgerError) {
            return FlowLockFile(lock, strangeClaimAt: try await distrustStranger(flow))
        } catch {
            lock.release()
            throw error
        }
    }

    /// So long after a claim its run is surely listed.
    private static let listingLag = Duration.seconds(86_400)

    /// Forgets that the flow was compared with the service, where this is not the file in which this machine made the
    /// flow's last claim; see ``ClaimMarks``.
    ///
    /// - Returns: when that claim was made, as far as it is known.
    private func distrustStranger(_ flow: FlowID) async throws(LedgerError) -> Timestamp? {
        let record = try await record(of: flow)
        let mark = marks[flow]
        if let mark, mark.revision <= record.revision, try await knows(mark, of: flow) { return nil }
        if let mark, let contactedAt = record.contactedAt, contactedAt > mark.claimedAt + Self.listingLag {
            marks.set(flow, to: .init(revision: record.revision, claimedAt: mark.claimedAt))
            return nil
        }
        if record.contactedAt != nil {
            try await write { rows in
                var record = try rows.record(of: flow)
                record.contactedAt = nil
                try rows.save(record)
            }
        }
        // A mark that is ahead stays until the next claim: until then no look is surely late enough.
        if mark == nil { marks.set(flow, to: .init(revision: record.revision, claimedAt: Timestamp(milliseconds: 0))) }
        return mark?.claimedAt
    }

    /// Whether the claim that left the mark, or a later one, is in this file.
    private func knows(_ mark: ClaimMarks.Mark, of flow: FlowID) async throws(LedgerError) -> Bool {
        guard mark.claimedAt.milliseconds > 0 else { return true }
        return try await read { try $0.hasRequest(of: flow, since: mark.claimedAt) }
    }

    package func record(of flow: FlowID) async throws(LedgerError) -> FlowRecord {
        try await read { try $0.record(of: flow) }
    }

    package func runs(of flow: FlowID) async throws(LedgerError) -> [RecordedRun] {
        try await read { try $0.runs(of: flow) }
    }

    package func claim(_ claim: Claim) async throws(LedgerError) -> RunState? {
        let (inTheWay, revision) = try await write { rows in
            (try rows.claim(claim), try rows.record(of: claim.identity.flow).revision)
        }
        // Before the request leaves, so that a copy from before it is known for one.
        if inTheWay == nil {
            marks.set(claim.identity.flow, to: .init(revision: revision, claimedAt: claim.claimedAt))
        }
        return inTheWay
    }

    package func renew(
        _ identity: RunIdentity, claimedAt: Timestamp, now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write { try $0.renew(identity, claimedAt: claimedAt, now: now) }
    }

    package func release(
        _ identity: RunIdentity, claimedAt: Timestamp, reason: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write { try $0.release(identity, claimedAt: claimedAt, reason: reason, at: now) }
    }

    package func conclude(
        _ identity: RunIdentity, _ conclusion: Conclusion, at now: Timestamp
    ) async throws(LedgerError) {
        try await write { try $0.conclude(identity, conclusion, at: now) }
    }

    package func observe(_ observation: Observation) async throws(LedgerError) {
        try await write { try $0.observe(observation) }
    }

    package func entries(of flows: [FlowID]?) async throws(LedgerError) -> [LedgerEntry] {
        try await read { rows in
            let flows = try flows.map { Set($0).sorted() } ?? rows.records().map(\.id)
            return try flows.flatMap { try rows.entries(of: $0) }
        }
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await read { try $0.records() }
    }

    package func restore(_ flows: [FlowRecord], _ entries: [LedgerEntry]) async throws(LedgerError) {
        try await write { try $0.restore(flows, entries) }
    }

    package func storeFaults() async throws(LedgerError) -> [String] {
        do {
            return try await read { rows in
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

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (SQLiteRows) throws -> Value
    ) async throws(LedgerError) -> Value {
        try await transaction(.deferred) { try body($0) }
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (inout SQLiteRows) throws -> Value
    ) async throws(LedgerError) -> Value {
        try refuseWhenReadOnly()
        return try await transaction(.immediate, body)
    }

    private func refuseWhenReadOnly() throws(LedgerError) {
        if mode == .readOnly { throw .unusable("\(file) was opened for reading only") }
    }

    /// Runs one transaction, off the caller's thread. Unlike GRDB's own asynchronous methods it does not stop when the
    /// task is cancelled: an interrupted apply must still record what it has sent.
    private func transaction<Value: Sendable>(
        _ kind: Database.TransactionKind, _ body: @escaping @Sendable (inout SQLiteRows) throws -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, LedgerError> = await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { [target, file] connection in
                continuation.resume(
                    returning: Result {
                        var rows = SQLiteRows(connection: connection, target: target, file: file)
                        var value: Value?
                        try connection.inTransaction(kind) {
                            value = try body(&rows)
                            return .commit
                        }
                        guard let value else { throw LedgerError.unusable("\(file): the transaction did not run") }
                        return value
                    }.mapError { LedgerError($0, file: file) })
            }
        }
        return try result.get()
    }
}
