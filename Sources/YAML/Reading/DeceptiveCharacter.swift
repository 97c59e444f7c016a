/// Characters that are refused because a file is read otherwise than it looks in editors and code reviews.
///
/// U+0085, U+2028, U+2029 and a carriage return alone end a line for libyaml, which follows YAML 1.1: what a reviewer sees as
/// the rest of a comment would be read as a key. A byte order mark within the file would be part of a key or value.
enum DeceptiveCharacter {
    /// The error at the first such character of a file.
    static func first(in input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        SourceText.isUTF16(input) ? firstInUTF16(input) : firstInUTF8(input)
    }

    private static func firstInUTF8(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        func follows(_ index: Int, _ byte: UInt8) -> Bool { index < input.count && input[index] == byte }
        var index = 0
        while index < input.count {
            let byte = input[index]
            if byte == 0x0D || byte == 0xC2 || byte == 0xE2 || byte == 0xEF {
                let found: Unicode.Scalar? =
                    if byte == 0x0D {
                        follows(index + 1, 0x0A) ? nil : "\r"
                    } else if byte == 0xC2 {
                        follows(index + 1, 0x85) ? "\u{85}" : nil
                    } else if byte == 0xEF {
                        index > 0 && follows(index + 1, 0xBB) && follows(index + 2, 0xBF) ? "\u{FEFF}" : nil
                    } else if follows(index + 1, 0x80) {
                        follows(index + 2, 0xA8) ? "\u{2028}" : follows(index + 2, 0xA9) ? "\u{2029}" : nil
                    } else {
                        nil
                    }
                if let found { return error(found, at: SourceText(input[..<index]).end) }
            }
            index += 1
        }
        return nil
    }

    private static func firstInUTF16(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        let text = SourceText(input)
        var found: (scalar: Unicode.Scalar, place: Mark)?
        var carriageReturn: Mark?
        text.walk { scalar, place in
            if let carriageReturn, scalar != "\n" {
                found = ("\r", carriageReturn)
            } else if let scalar, ["\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}"].contains(scalar) {
                found = (scalar, place)
            }
            carriageReturn = scalar == "\r" ? place : nil
            return found == nil
        }
        return found.map { error($0.scalar, at: $0.place) }
    }

    private static func error(_ scalar: Unicode.Scalar, at start: Mark) -> YAMLError {
        let end = Mark(line: start.line, column: start.column + 1)
        guard scalar != "\u{FEFF}" else {
            return YAMLError(
                .encoding, start: start, end: end, "a byte order mark (U+FEFF) is allowed only at the start of a file",
                suggestion:
                    "remove it: it is left over where files were joined; within a value write \\uFEFF in double quotes")
        }
        let (name, escape) =
            switch scalar {
            case "\r": ("carriage return (U+000D) without a line feed", "r")
            case "\u{85}": ("next-line character (U+0085)", "N")
            case "\u{2028}": ("line separator (U+2028)", "L")
            default: ("paragraph separator (U+2029)", "P")
            }
        let remedy = scalar == "\r" ? "save the file with LF or CRLF line ends" : "remove it"
        return YAMLError(
            .encoding, start: start, end: end,
            "a \(name) is not allowed: YAML ends the line here, most editors do not",
            suggestion: "\(remedy); within a value write \\\(escape) in double quotes")
    }
}
