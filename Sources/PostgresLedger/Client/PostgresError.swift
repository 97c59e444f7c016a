import Ledger

/// What went wrong with a statement or a connection, before it is told as an error of the ledger.
enum PostgresError: Error {
    /// The server refused the statement; its transaction is rolled back.
    case refused(ServerMessage)
    /// No connection can be made. Nothing was done.
    case unreachable(ConnectionFailure)
    /// The ledger was closed.
    case closed
    /// The connection was lost, or the server did not answer in time. A transaction under way is rolled back.
    case lost(String)
    /// The transaction may have been committed, or not; or it is, but may not have been replicated.
    case unknown(String)
    /// An answer of the server that no version of it gives, or a row that no Sluice has written.
    case unreadable(String)
    case newer(found: Int)
    /// What the ledger's own rules say.
    case ledger(LedgerError)
}

/// An error or a warning as the server tells it.
struct ServerMessage: Hashable, Sendable {
    /// Five characters: `23505`.
    let sqlState: String
    let text: String
    /// The constraint that was violated.
    let constraint: String?
}
