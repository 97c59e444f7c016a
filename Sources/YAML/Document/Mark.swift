/// A position in a YAML file. A line ends with LF, CR or CRLF and, as in YAML 1.1, with U+0085, U+2028 or U+2029.
package struct Mark: Hashable, Comparable, Sendable {
    /// The line, starting at 1.
    package let line: Int
    /// The column, starting at 1, in characters (Unicode scalars), as editors count.
    package let column: Int

    /// Creates a position from a line and a column, both starting at 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Orders by position in the text.
    package static func < (left: Mark, right: Mark) -> Bool { (left.line, left.column) < (right.line, right.column) }
}
