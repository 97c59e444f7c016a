/// Characters that are refused because a file is read otherwise than it looks in editors and code reviews.
///
/// U+0085, U+2028, U+2029 and a carriage return alone end a line for libyaml, which follows YAML 1.1: what a reviewer sees as
/// the rest of a comment would be read as a key. The characters that embed, override or isolate a direction of writing can
/// show a key within a comment. A byte order mark within the file would be part of a key or value.
enum DeceptiveCharacter {
    /// The error at the first such character of a file.
    static func first(in input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        SourceText.isUTF16(input) ? firstInUTF16(input) : firstInUTF8(input)
    }

    private static func firstInUTF8(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        for index in input.indices {
            let length: Int
            switch input[index] {
            case 0x0D where index + 1 < input.count && input[index + 1] == 0x0A: continue
            case 0x0D: length = 1
            case 0xC2: length = 2
            case 0xE2, 0xEF: length = 3
            default: continue
            }
            guard let scalar = String(validating: input[index...].prefix(length), as: UTF8.self)?.unicodeScalars.first,
                isRefused(scalar), scalar != "\u{FEFF}" || index > 0
            else { continue }
            return error(scalar, at: SourceText(input[..<index]).end)
        }
        return nil
    }

    private static func firstInUTF16(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError? {
        let text = SourceText(input)
        var refused: (scalar: Unicode.Scalar, place: Mark)?
        var carriageReturn: Mark?
        text.walk { scalar, place in
            if let carriageReturn, scalar != "\n" {
                refused = ("\r", carriageReturn)
            } else if let scalar, scalar != "\r", isRefused(scalar) {
                refused = (scalar, place)
            }
            carriageReturn = scalar == "\r" ? place : nil
            return refused == nil
        }
        return refused.map { error($0.scalar, at: $0.place) }
    }

    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0D, 0x85, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    private static func error(_ scalar: Unicode.Scalar, at start: Mark) -> YAMLError {
        let endsLine = "YAML ends the line here, most editors do not"
        let (message, remedy, escape) =
            switch scalar {
            case "\r":
                (
                    "a carriage return (U+000D) without a line feed is not allowed: \(endsLine)",
                    "save the file with LF or CRLF line ends", "r"
                )
            case "\u{85}": ("a next-line character (U+0085) is not allowed: \(endsLine)", "remove it", "N")
            case "\u{2028}": ("a line separator (U+2028) is not allowed: \(endsLine)", "remove it", "L")
            case "\u{2029}": ("a paragraph separator (U+2029) is not allowed: \(endsLine)", "remove it", "P")
            case "\u{FEFF}":
                (
                    "a byte order mark (U+FEFF) is allowed only at the start of a file",
                    "remove it: it is left over where files were joined", "uFEFF"
                )
            default:
                (
                    "a \(scalar.nameAndCode) is not allowed: it changes the order in which the line is shown",
                    "remove it", "u\(String(scalar.value, radix: 16, uppercase: true))"
                )
            }
        return YAMLError(
            .encoding, start: start, end: Mark(line: start.line, column: start.column + 1), message,
            suggestion: "\(remedy); within a value write \\\(escape) in double quotes")
    }
}
