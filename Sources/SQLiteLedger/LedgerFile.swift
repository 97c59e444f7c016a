import Foundation
import GRDB
import Ledger

/// The SQLite file of a ledger, checked and migrated to the current schema when it is opened.
struct LedgerFile {
    /// The time in seconds to wait for another process's transaction. A transaction usually takes milliseconds.
    static let busyTimeout = 10.0

    /// The absolute path. SQLite would parse a relative path that starts with `file:` as a URI. The path may be
    /// or contain a symbolic link.
    let path: String

    init(path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// The path without symbolic links. SQLite keeps the log and its index in the same folder.
    private var realPath: String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    func exists() throws -> Bool {
        var information = stat()
        if stat(path, &information) == 0 { return true }
        guard errno == ENOENT else { throw LedgerError.unusable("\(path): \(String(cString: strerror(errno)))") }
        return false
    }

    /// Opens the file for writing, and creates the file and its folder if they are missing.
    func openForWriting() throws -> DatabaseQueue {
        try createFolder()
        try refuseFolder()
        let database = try DatabaseQueue(path: path, configuration: configuration(readonly: false))
        // Check the version before the first write: a ledger of a newer version must not be modified.
        _ = try database.read(version)
        try database.inDatabase(turnOnWriteAheadLog)
        try database.inDatabase { connection in
            // Begin a write transaction even without a migration, to detect a file that is not writable.
            try connection.inTransaction(.immediate) {
                let version = try version(connection)
                if version < LedgerSchema.version { try migrate(connection, from: version) }
                return .commit
            }
        }
        return database
    }

    /// Opens the file for reading. A file with an older schema is migrated in memory.
    func openForReading() throws -> DatabaseQueue {
        try refuseFolder()
        let database = try openExisting()
        let version = try database.read(version)
        return version < LedgerSchema.version ? try migratedCopy(of: database) : database
    }

    /// Returns the schema version, 0 for an empty database. Must run in a transaction: another process may be creating
    /// the tables.
    private func version(_ connection: Database) throws -> Int {
        let application = try Int.fetchOne(connection, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(connection, sql: "PRAGMA user_version") ?? 0
        guard version >= 0 else { throw mismatch(version) }
        guard application == LedgerSchema.applicationID else {
            let isEmpty = try Int.fetchOne(connection, sql: "SELECT count(*) FROM sqlite_master") == 0
            guard isEmpty, version == 0 else {
                throw LedgerError.unusable(
                    "\(path) is an SQLite database of something else: choose another path for 'ledger'")
            }
            return 0
        }
        guard version <= LedgerSchema.version else {
            throw LedgerError.newer(found: version, supported: LedgerSchema.version)
        }
        return version
    }

    private func migrate(_ connection: Database, from version: Int) throws {
        do { try LedgerSchema.migrate(connection, from: version) } catch let error as DatabaseError
            where error.resultCode == .SQLITE_ERROR
        {
            throw mismatch(version)
        }
    }

    private func mismatch(_ version: Int) -> LedgerError {
        .corrupt(
            "the tables of \(path) are not those of version \(version), which its header names (PRAGMA user_version): "
                + "another program has changed it; restore a copy, or import an export into a new file")
    }

    /// Switches the file to WAL mode, and retries while the file is busy.
    ///
    /// SQLite's busy timeout does not cover processes that switch a new file at the same time.
    func turnOnWriteAheadLog(_ connection: Database) throws {
        let end = ContinuousClock.now + .seconds(Self.busyTimeout)
        repeat {
            do {
                let mode = try String.fetchOne(connection, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else {
                    throw LedgerError.unusable("\(path) cannot have a write-ahead log on this file system")
                }
                return
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                Thread.sleep(forTimeInterval: 0.02)
            }
        } while .now < end
        throw DatabaseError(resultCode: .SQLITE_BUSY)
    }

    /// Opens an existing file for reading.
    ///
    /// A reader in WAL mode also writes, to the shared index. In a read-only folder, the file is opened as immutable
    /// instead, unless the write-ahead log contains data or may be in another
    /// folder: without the log, the file would be an older state.
    private func openExisting() throws -> DatabaseQueue {
        do {
            return try DatabaseQueue(path: path, configuration: configuration(readonly: true))
        } catch let error as DatabaseError
            where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK && !isReadOnlyPlace
        {
            // The process that created the file was killed in a transaction, and only a writer may roll it back.
            try DatabaseQueue(path: path, configuration: configuration(readonly: false)).close()
            return try DatabaseQueue(path: path, configuration: configuration(readonly: true))
        } catch let error as DatabaseError
            where [.SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR].contains(error.resultCode)
        {
            guard isReadOnlyPlace else { throw error }
            if let reason = reasonForOlderState { throw LedgerError.unusable(reason) }
            let escaped = realPath.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
            return try DatabaseQueue(
                path: "file:\(escaped)?immutable=1", configuration: configuration(readonly: true))
        }
    }

    private var isReadOnlyPlace: Bool {
        let folder = (realPath as NSString).deletingLastPathComponent
        return access(path, R_OK) == 0 && access(folder, W_OK) != 0
    }

    /// Why the file alone may be an older state of the ledger; `nil` where it is the newest.
    private var reasonForOlderState: String? {
        var information = stat()
        for log in ["-wal", "-journal"].map({ realPath + $0 })
        where stat(log, &information) == 0 && information.st_size > 0 {
            return
                "\(path) cannot be read on its own: its newest changes are in \(log), and reading that takes the right to "
                + "write in its folder; run any command as a user with that right once"
        }
        guard stat(realPath, &information) == 0, information.st_nlink > 1 else { return nil }
        return
            "\(path) cannot be read on its own: it has other names (hard links), and its newest changes may be in the "
            + "folder of one of them; copy it, or name it by a symbolic link"
    }

    private func migratedCopy(of source: DatabaseQueue) throws -> DatabaseQueue {
        let copy = try DatabaseQueue(configuration: configuration(readonly: false))
        try source.backup(to: copy)
        try copy.inDatabase { connection in
            try connection.inTransaction(.immediate) {
                try migrate(connection, from: version(connection))
                return .commit
            }
        }
        return copy
    }

    private func createFolder() throws {
        do { try LedgerFolder.create(for: path) } catch {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            throw LedgerError.unusable("cannot create the folder \(folder): \(LedgerFolder.failure(of: folder))")
        }
    }

    private func refuseFolder() throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw LedgerError.unusable("\(path) is a folder, not a file")
        }
    }

    private func configuration(readonly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.busyMode = .timeout(Self.busyTimeout)
        // A claim must survive a power cut, so sync the log on every commit, not only at checkpoints.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return configuration
    }
}
