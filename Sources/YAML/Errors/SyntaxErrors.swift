import CLibYAML

/// Translates libyaml's errors into messages that require no knowledge of its scanner.
extension YAMLError {
    init(_ reported: EventStream.ParserError, in source: UnsafeBufferPointer<UInt8>) {
        switch reported.error {
        case YAML_READER_ERROR: self = .encoding(reported, in: source)
        case YAML_MEMORY_ERROR: self.init(.memory, start: reported.mark, "not enough memory to read the file")
        default: self = .syntax(reported, in: source)
        }
    }

    private static func encoding(
        _ reported: EventStream.ParserError, in source: UnsafeBufferPointer<UInt8>
    ) -> YAMLError {
        var offset = reported.offset
        if reported.problem == "invalid trailing UTF-8 octet" {
            // libyaml reports the byte that does not continue the character; report the character itself.
            repeat { offset -= 1 } while offset > 0 && source[offset] & 0xC0 == 0x80
        }
        let start = SourceText(source.prefix(offset)).end
        let end = Mark(line: start.line, column: start.column + 1)
        if reported.problem == "control characters are not allowed" {
            if reported.value == 0 {
                return YAMLError(
                    .encoding, start: start, end: end, "a NUL byte is not allowed in YAML",
                    suggestion: "save the file as UTF-8 (it may be damaged, or UTF-16 without a byte order mark)")
            }
            let code = String(max(0, reported.value), radix: 16, uppercase: true)
            return YAMLError(
                .encoding, start: start, end: end,
                "the control character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) is not "
                    + "allowed in YAML",
                suggestion: "remove it, or write it as an escape sequence in double quotes")
        }
        let encoding = SourceText.isUTF16(source) ? "UTF-16" : "UTF-8"
        return YAMLError(
            .encoding, start: start, end: end, "invalid \(encoding) from here on", suggestion: "save the file as UTF-8")
    }

    private static func syntax(_ reported: EventStream.ParserError, in source: UnsafeBufferPointer<UInt8>) -> YAMLError
    {
        let text = SourceText(source)
        let words = SyntaxMessage(reported, character: text.character(at: reported.mark))
        let opening = reported.context.isEmpty || reported.contextMark == reported.mark ? nil : reported.contextMark
        let cause = UnusualSpace.error(
            before: min(reported.mark, text.end), from: opening?.line ?? reported.mark.line - 1, in: text, words.message
        )
        if let cause { return cause }
        if words.place == .opening, let opening {
            return YAMLError(words.kind, start: opening, words.message, suggestion: words.suggestion)
        }
        // At the end of the file, libyaml's position is one line too far.
        let start = min(reported.mark, text.end)
        let note = opening.flatMap { mark in words.note.map { Note(mark: mark, message: $0) } }
        return YAMLError(words.kind, start: start, words.message, suggestion: words.suggestion, note: note)
    }
}
