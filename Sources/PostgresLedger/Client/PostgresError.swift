import Ledger

/// An error of a statement or a connection, before its conversion to a `LedgerError`.
enum PostgresError: Error {
    /// The server refused the statement and rolled back its transaction.
    case refused(ServerMessage)
    /// No connection can be established. Nothing was executed.
    case unreachable(ConnectionFailure)
    /// The ledger was closed.
    case closed
    /// The connection was lost, or the server did not answer in time. An open transaction is rolled back.
    case lost(String)
    /// The transaction may have been committed, or was committed but may not have been replicated.
    case unknown(String)
    /// An answer that no server version gives, or a row that no version of Sluice writes.
    case unreadable(String)
    case newer(found: Int)
    /// A violation of the ledger's own rules.
    case ledger(LedgerError)
}

/// An error or a warning from the server.
struct ServerMessage: Hashable, Sendable {
    /// The five-character SQLSTATE: `23505`.
    let sqlState: String
    let text: String
}

/// Classification of PostgreSQL errors: https://www.postgresql.org/docs/current/errcodes-appendix.html
extension PostgresError {
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
        case .unreachable(let failure) where failure.isConnectionLimit: .unavailable("\(server): \(failure.text)")
        case .unreachable(let failure) where failure.isTransient: .unanswered("\(server): \(failure.text)")
        case .unreachable(let failure): .unusable("\(server): \(failure.text)\(failure.advice)")
        case .refused(let message): message.ledgerError(server)
        }
    }
}

extension ServerMessage {
    var errorClass: String { String(sqlState.prefix(2)) }

    fileprivate func ledgerError(_ server: String) -> LedgerError {
        switch sqlState {
        // The server shuts down, crashed or starts, ended an idle transaction, or has no free connection.
        case "57P01", "57P02", "57P03", "57P05", "25P03", "53300": return .unavailable("\(server): \(text)")
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
        // Connection errors and rolled back transactions.
        case "08", "40": return .unavailable("\(server): \(text)")
        case "53", "57": return .busy("\(server): \(text)")
        default: return .unusable("\(server): \(text) (SQLSTATE \(sqlState))")
        }
    }
}
