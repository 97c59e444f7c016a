/// Why an import was refused. Nothing of it was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with a line of the file.
    package struct Line: Hashable, Sendable, CustomStringConvertible {
        /// Counted from 1.
        package let line: Int
        /// One sentence without a full stop.
        package let message: String

        init(line: Int, _ message: String) {
            self.line = line
            self.message = message
        }

        package var description: String { "line \(line): \(message)" }
    }

    /// By line.
    case lines([Line])
    case ledger(LedgerError)
    /// The export itself cannot be read, or is no longer what was checked.
    case unreadable(String)

    package var description: String {
        switch self {
        case .lines(let lines): lines.map(\.description).joined(separator: "\n")
        case .ledger(let error): error.description
        case .unreadable(let reason): reason
        }
    }
}
