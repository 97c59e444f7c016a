/// An error that prevented an import. Nothing was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An error in a line of the file.
    package struct Line: Hashable, Sendable, CustomStringConvertible {
        /// The line number, counted from 1.
        package let line: Int
        /// The error as one sentence without a full stop.
        package let message: String

        init(line: Int, _ message: String) {
            self.line = line
            self.message = message
        }

        package var description: String { "line \(line): \(message)" }
    }

    /// Errors in the lines of the file, sorted by line.
    case lines([Line])
    case ledger(LedgerError)
    /// The export cannot be read, or has changed since it was checked.
    case unreadable(String)

    package var description: String {
        switch self {
        case .lines(let lines): lines.map(\.description).joined(separator: "\n")
        case .ledger(let error): error.description
        case .unreadable(let reason): reason
        }
    }
}
