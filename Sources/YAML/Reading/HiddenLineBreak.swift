/// Characters that end a line for libyaml, which follows YAML 1.1, but not in editors and code reviews. What a reviewer
/// sees as the rest of a comment would be read as a key.
enum HiddenLineBreak {
    /// The error at the first such character of a file.
    static func first(in input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        SourceText.isUTF16(input) ? firstInUTF16(input) : firstInUTF8(input)
    }

    private static func firstInUTF8(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        func follows(_ index: Int, _ byte: UInt8) -> Bool { index < input.count && input[index] == byte }
        var index = 0
        while index < input.count {
            let byte = input[index]
            if byte == 0x0D || byte == 0xC2 || byte == 0xE2 {
                let found: Unicode.Scalar? =
                    if byte == 0x0D {
                        follows(index + 1, 0x0A) ? nil : "\r"
                    } else if byte == 0xC2 {
                        follows(index + 1, 0x85) ? "\u{85}" : nil
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
            } else if let scalar, ["\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) {
                found = (scalar, place)
            }
            carriageReturn = scalar == "\r" ? place : nil
            return found == nil
        }
        return found.map { error($0.scalar, at: $0.place) }
    }

    private static func error(_ scalar: Unicode.Scalar, at start: Mark) -> YAMLError {
        let (name, escape) =
            switch scalar {
            case "\r": ("carriage return (U+000D) without a line feed", "r")
            case "\u{85}": ("next-line character (U+0085)", "N")
            case "\u{2028}": ("line separator (U+2028)", "L")
            default: ("paragraph separator (U+2029)", "P")
            }
        let remedy = scalar == "\r" ? "save the file with LF or CRLF line ends" : "remove it"
        return YAMLError(
            .encoding, start: start, end: Mark(line: start.line, column: start.column + 1),
            "a \(name) is not allowed: YAML ends the line here, most editors do not",
            suggestion: "\(remedy); within a value write \\\(escape) in double quotes")
    }
}
