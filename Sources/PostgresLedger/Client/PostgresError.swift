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
    /// The name of the violated constraint.
    let constraint: String?
}
