/// A place in a YAML file. A line ends with LF, CR or both and, as in YAML 1.1, with U+0085, U+2028 and U+2029.
package struct Mark: Hashable, Comparable, Sendable {
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters (Unicode scalars), as editors count.
    package let column: Int

    /// - Parameters: counted from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// In the order of the text.
    package static func < (left: Mark, right: Mark) -> Bool { (left.line, left.column) < (right.line, right.column) }
}
