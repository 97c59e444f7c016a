/// A place in a manifest, as a diagnostic and a plan name it.
package struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The path as it was given on the command line, or found below a folder that was.
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int
    /// How many characters of the line the place covers, at least 1: the width of the caret.
    package let length: Int

    package init(file: String, line: Int, column: Int, length: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
        self.length = max(1, length)
    }

    /// `flows/crm.yaml:12:7`
    package var description: String { "\(file):\(line):\(column)" }

    package static func < (left: Place, right: Place) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
