/// The line lengths of a text, to check whether a place is in the text.
struct FilePlaces {
    /// The number of characters in each line, without the line break.
    private var lengths: [Int] = []

    /// Splits a text into lines.
    ///
    /// - Parameter bytes: The text in UTF-8. Returns `nil` for UTF-16, whose places are those of the same text in
    ///   UTF-8.
    init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return nil }
        var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        var length = 0
        for scalar in scalars {
            if scalar == "\n" {
                lengths.append(length)
                length = 0
            } else {
                length += 1
            }
        }
        lengths.append(length)
    }

    /// The place where libyaml ends a text without a final line break.
    var startOfNextLine: (line: Int, column: Int) { (lengths.count + 1, 1) }

    /// Returns whether the text contains `length` characters from a place on. The first one may be a line break or the
    /// end.
    func contains(line: Int, column: Int, length: Int = 1) -> Bool {
        guard (1...lengths.count).contains(line), column >= 1, length >= 1 else { return false }
        return column - 1 + (length == 1 ? 0 : length) <= lengths[line - 1]
    }
}
