/// A position in a manifest, as diagnostics and plans report it.
package struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The path as given on the command line, or as found below a folder given there.
    package let file: String
    /// The line, starting at 1.
    package var line: Int { Int(storedLine) }
    /// The column, starting at 1, in characters.
    package var column: Int { Int(storedColumn) }
    /// The number of characters that the position covers, at least 1: the width of the caret.
    package var length: Int { Int(storedLength) }

    // 32 bits each, because a plan of a million requests has a million positions.
    private let storedLine: UInt32
    private let storedColumn: UInt32
    private let storedLength: UInt32

    package init(file: String, line: Int, column: Int, length: Int = 1) {
        self.file = file
        storedLine = UInt32(clamping: line)
        storedColumn = UInt32(clamping: column)
        storedLength = UInt32(clamping: max(1, length))
    }

    /// The position in the form `flows/crm.yaml:12:7`.
    package var description: String { "\(file):\(line):\(column)" }

    package static func < (left: Place, right: Place) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
