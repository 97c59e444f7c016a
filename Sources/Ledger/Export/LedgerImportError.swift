/// An error that prevented an import. Nothing was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An error in a line of the file.
    package struct Line: Hashable, Sendable {
        /// The line number, counted from 1.
        package let line: Int
        /// The error without a full stop.
        package let message: String
    }

    /// The first errors of a file, by line, and the number of all.
    package struct Lines: Hashable, Sendable {
        private static let limit = 20

        package private(set) var first: [Line] = []
        package private(set) var count = 0

        /// The errors in words, one each: `export.jsonl:3: 'state' has an invalid value`.
        ///
        /// - Parameter file: what precedes a line's number, such as `export.jsonl:`.
        package func inWords(file: String) -> [String] {
            let texts = first.map { "\(file)\($0.line): \($0.message)" }
            return count > first.count ? texts + ["… and \(count - first.count) more"] : texts
        }

        mutating func add(_ line: Int, _ message: String) {
            if first.count < Self.limit { first.append(Line(line: line, message: message)) }
            count += 1
        }
    }

    case lines(Lines)
    case ledger(LedgerError)
    /// The export cannot be read, or has changed since it was checked.
    case unreadable(String)

    package var description: String {
        switch self {
        case .lines(let lines): lines.inWords(file: "line ").joined(separator: "\n")
        case .ledger(let error): error.description
        case .unreadable(let reason): reason
        }
    }
}
