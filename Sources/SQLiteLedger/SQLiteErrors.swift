import Foundation
import GRDB
import Ledger

extension LedgerError {
    /// Converts an SQLite error to a message for the user. Omits the SQL: it does not help the user.
    init(_ error: any Error, file: String) {
        switch error {
        case let error as LedgerError: self = error
        case let error as DatabaseError: self.init(error, file: file)
        default: self = .unusable("\(file): \(error)")
        }
    }

    private init(_ error: DatabaseError, file: String) {
        switch error.resultCode {
        case .SQLITE_CANTOPEN: self = .unusable("\(file) cannot be opened")
        case .SQLITE_PERM, .SQLITE_AUTH: self = .unusable("\(file): permission denied")
        case .SQLITE_READONLY: self = .unusable(Self.whyUnwritable(file))
        case .SQLITE_FULL: self = .unusable("\(file): the disk is full")
        case .SQLITE_IOERR: self = .unusable("\(file) cannot be read or written: input/output error")
        case .SQLITE_NOMEM: self = .unusable("\(file): out of memory")
        case .SQLITE_MISUSE: self = .unusable("\(file) is closed")
        case .SQLITE_NOTADB: self = .corrupt("\(file) is not an SQLite database")
        case .SQLITE_CORRUPT: self = .corrupt("\(file) is no longer a well-formed database")
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            self = .busy("another process has kept \(file) locked for \(Int(LedgerFile.busyTimeout)) seconds")
        case .SQLITE_CONSTRAINT where error.message?.contains("run.target, run.run") ?? false:
            self = .runIDOfAnotherFlow("\(file) has its id under another flow")
        case .SQLITE_CONSTRAINT:
            self = .corrupt("\(file) refuses a row: \(error.message ?? "a constraint is violated")")
        default: self = .unusable("\(file): \(error.message ?? "SQLite error \(error.resultCode.rawValue)")")
        }
    }

    /// Explains why a ledger is not writable. Its `-wal` and `-shm` files belong to the user who opened the ledger
    /// first.
    private static func whyUnwritable(_ file: String) -> String {
        let real = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        let others = ["-wal", "-shm"].map { real + $0 }.filter { access($0, F_OK) == 0 && access($0, W_OK) != 0 }
        guard access(file, W_OK) == 0, !others.isEmpty else { return "\(file) can be read, but not written" }
        return
            "\(others.joined(separator: " and ")) cannot be written: another user has made them; make them yours with chown"
    }
}
