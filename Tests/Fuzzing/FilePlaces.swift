/// The lines of a text, to tell whether a place is in it.
struct FilePlaces {
    /// How many characters each line has, without its break.
    private var lengths: [Int] = []

    /// - Parameter bytes: in UTF-8; `nil` for UTF-16, whose places are those of the same text in UTF-8.
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

    /// Where libyaml ends a text whose last line has no break.
    var startOfNextLine: (line: Int, column: Int) { (lengths.count + 1, 1) }

    /// Whether so many characters from there on are in the text; the first may also be a line's break, or the end.
    func contains(line: Int, column: Int, length: Int = 1) -> Bool {
        guard (1...lengths.count).contains(line), column >= 1, length >= 1 else { return false }
        return column - 1 + (length == 1 ? 0 : length) <= lengths[line - 1]
    }
}
