/// The text of a file, for locating a position after an error. Not optimized for speed.
struct SourceText {
    private let scalars: Substring.UnicodeScalarView

    init(_ bytes: some Collection<UInt8>) {
        var text: String
        if Self.isUTF16(bytes) {
            let isLittle = bytes.first == 0xFF
            var units: [UInt16] = []
            var first: UInt8?
            for byte in bytes {
                guard let before = first else {
                    first = byte
                    continue
                }
                units.append(isLittle ? UInt16(byte) << 8 | UInt16(before) : UInt16(before) << 8 | UInt16(byte))
                first = nil
            }
            text = String(decoding: units, as: UTF16.self)
        } else {
            text = String(decoding: bytes, as: UTF8.self)
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        scalars = text[...].unicodeScalars
    }

    static func isUTF16(_ bytes: some Collection<UInt8>) -> Bool {
        let mark = Array(bytes.prefix(2))
        return mark == [0xFF, 0xFE] || mark == [0xFE, 0xFF]
    }

    /// The position after the last character.
    var end: Mark {
        var mark = Mark(line: 1, column: 1)
        walk { _, place in
            mark = place
            return true
        }
        return mark
    }

    /// Returns the character at a position; `nil` at the end of the file.
    func character(at mark: Mark) -> Unicode.Scalar? {
        var character: Unicode.Scalar?
        walk { scalar, place in
            character = scalar
            return place < mark
        }
        return character
    }

    /// Calls `body` with each character and its place, and at last with the end, until it returns false. A line ends
    /// with LF or CRLF: other line breaks of libyaml's are refused, see `DeceptiveCharacter`.
    func walk(_ body: (Unicode.Scalar?, Mark) -> Bool) {
        var (line, column) = (1, 1)
        var previous: Unicode.Scalar?
        for scalar in scalars {
            if previous == "\n" { (line, column) = (line + 1, 1) }
            guard body(scalar, Mark(line: line, column: column)) else { return }
            column += 1
            previous = scalar
        }
        if previous == "\n" { (line, column) = (line + 1, 1) }
        _ = body(nil, Mark(line: line, column: column))
    }
}
