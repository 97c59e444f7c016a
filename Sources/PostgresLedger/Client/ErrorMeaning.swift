import Ledger

/// Classification of PostgreSQL errors: https://www.postgresql.org/docs/current/errcodes-appendix.html
extension PostgresError {
    /// Whether a retry may succeed soon.
    var isTransient: Bool {
        switch self {
        case .lost, .unknown: true
        case .unreachable(let failure): failure.isTransient
        case .refused(let message): message.isTransient
        case .closed, .unreadable, .newer, .ledger: false
        }
    }

    /// Whether the server's or the role's connection limit is reached.
    var isConnectionLimit: Bool {
        guard case .unreachable(let failure) = self else { return false }
        return failure.isConnectionLimit
    }

    /// The same error when a COMMIT returns it. Only an integrity or rollback error (class 23 or 40) proves that
    /// nothing was committed.
    var atCommit: PostgresError {
        switch self {
        case .lost(let reason): .unknown(reason)
        case .refused(let message) where !["23", "40"].contains(message.errorClass): .unknown(message.text)
        default: self
        }
    }

    /// Converts the error to a ledger error.
    ///
    /// - Parameter server: the server's address, for the message.
    func ledgerError(_ server: String) -> LedgerError {
        switch self {
        case .ledger(let error): error
        case .newer(let found): .newer(found: found, supported: PostgresSchema.version)
        case .unreadable(let reason): .corrupt("\(server): \(reason)")
        case .unknown(let reason), .lost(let reason): .unanswered("\(server): \(reason)")
        case .closed: .unusable("\(server): the ledger is closed")
        case .unreachable(let failure) where failure.isConnectionLimit: .busy("\(server): \(failure.text)")
        case .unreachable(let failure) where failure.isTransient: .unanswered("\(server): \(failure.text)")
        case .unreachable(let failure): .unusable("\(server): \(failure.text)\(failure.advice)")
        case .refused(let message): message.ledgerError(server)
        }
    }
}

extension ServerMessage {
    var errorClass: String { String(sqlState.prefix(2)) }

    fileprivate var isTransient: Bool {
        // Connection errors, rolled back transactions, and a server that shuts down, crashed or starts.
        if ["08", "40"].contains(errorClass) { return true }
        return ["57P01", "57P02", "57P03", "57P05", "25P03", "53300"].contains(sqlState)
    }

    fileprivate func ledgerError(_ server: String) -> LedgerError {
        switch sqlState {
        case "53100": return .unusable("\(server): the server's disk is full")
        case "57014": return .busy("\(server): the server stopped a statement (\(text))")
        case "55P03": return .busy("\(server): another process keeps it locked (\(text))")
        case "23505" where text.contains("one_row_for_a_run_id"):
            return .runIDOfAnotherFlow("\(server) has its id under another flow")
        case "25006", "57P04":
            return .unusable(
                "\(server) can be read, but not written (\(text)): name the primary, or every host: postgres://a,b/db")
        case "42501":
            return .unusable(
                "\(server): \(text). 'sluice ledger sql' prints the SQL that makes the tables, and the rights that a role "
                    + "needs")
        default: break
        }
        switch errorClass {
        case "23": return .corrupt("\(server) refuses a row: \(text)")
        case "08", "40", "53", "57": return .busy("\(server): \(text)")
        default: return .unusable("\(server): \(text) (SQLSTATE \(sqlState))")
        }
    }
}
