/// A place in a manifest, as a diagnostic and a plan name it.
package struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The path as it was given on the command line, or found below a folder that was.
    package let file: String
    /// Counted from 1.
    package var line: Int { Int(storedLine) }
    /// Counted from 1, in characters.
    package var column: Int { Int(storedColumn) }
    /// How many characters of the line the place covers, at least 1: the width of the caret.
    package var length: Int { Int(storedLength) }

    // A plan of a million requests has a million places.
    private let storedLine: UInt32
    private let storedColumn: UInt32
    private let storedLength: UInt32

    package init(file: String, line: Int, column: Int, length: Int = 1) {
        self.file = file
        storedLine = UInt32(clamping: line)
        storedColumn = UInt32(clamping: column)
        storedLength = UInt32(clamping: max(1, length))
    }

    /// `flows/crm.yaml:12:7`
    package var description: String { "\(file):\(line):\(column)" }

    package static func < (left: Place, right: Place) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
