import CLibYAML

/// libyaml's complaints, said so that a person who does not know its scanner can act on them.
extension YAMLFault {
    init(_ failure: EventStream.Failure, in source: UnsafeBufferPointer<UInt8>) {
        switch failure.error {
        case YAML_READER_ERROR: self = .encoding(failure, in: source)
        case YAML_MEMORY_ERROR: self.init(.memory, start: failure.mark, "there is not enough memory to read the file")
        default: self = .syntax(failure, in: source)
        }
    }

    private static func encoding(_ failure: EventStream.Failure, in source: UnsafeBufferPointer<UInt8>) -> YAMLFault {
        let start = SourceText(source.prefix(failure.offset)).end
        let end = Mark(line: start.line, column: start.column + 1)
        if failure.problem == "control characters are not allowed" {
            if failure.value == 0 {
                return YAMLFault(
                    .encoding, start: start, end: end, "a NUL byte is not allowed in YAML",
                    suggestion: "the file may be damaged, or UTF-16 without its byte order mark: save it as UTF-8")
            }
            let code = String(max(0, failure.value), radix: 16, uppercase: true)
            return YAMLFault(
                .encoding, start: start, end: end,
                "the control character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) is not "
                    + "allowed in YAML", suggestion: "in double quotes it can be written as an escape")
        }
        let encoding = SourceText.isUTF16(source) ? "UTF-16" : "UTF-8"
        return YAMLFault(
            .encoding, start: start, end: end, "the file is not valid \(encoding) from here on",
            suggestion: "save it as UTF-8")
    }

    private static func syntax(_ failure: EventStream.Failure, in source: UnsafeBufferPointer<UInt8>) -> YAMLFault {
        let text = SourceText(source)
        let words = ClearWords(failure, found: text.character(at: failure.mark))
        let beginning = failure.context.isEmpty || failure.contextMark == failure.mark ? nil : failure.contextMark
        if words.place == .whereItBegan, let beginning {
            return YAMLFault(words.kind, start: beginning, words.message, suggestion: words.suggestion)
        }
        // At the end of the file libyaml is a line too far.
        let start = min(failure.mark, text.end)
        let note = beginning.flatMap { mark in words.note.map { Note(mark: mark, message: $0) } }
        return YAMLFault(words.kind, start: start, words.message, suggestion: words.suggestion, note: note)
    }
}

/// What to say instead of libyaml's words, and where to point.
private struct ClearWords {
    enum Place {
        case whereItWasFound
        /// Where libyaml sees the end of the file or the next line, people look for the beginning.
        case whereItBegan
    }

    var kind = YAMLFault.Kind.syntax
    var place = Place.whereItWasFound
    var message: String
    var suggestion: String?
    /// On the place where the construct began.
    var note: String?

    private init(
        _ message: String, _ suggestion: String? = nil, kind: YAMLFault.Kind = .syntax,
        place: Place = .whereItWasFound, note: String? = nil
    ) {
        self.kind = kind
        self.place = place
        self.message = message
        self.suggestion = suggestion
        self.note = note
    }

    init(_ failure: EventStream.Failure, found: Unicode.Scalar?) {
        if found == "\t", Self.aboutIndentation.contains(failure.problem) {
            self.init("a tab cannot indent YAML", "use spaces")
        } else if failure.problem == "found character that cannot start any token" {
            self.init(
                "a value cannot begin with '\(found.map(String.init) ?? "")'", "put the value in quotes")
        } else if failure.problem == "found unexpected end of stream" {
            self.init(
                "the closing quote is missing", "close the text with the quote it begins with", place: .whereItBegan)
        } else if found == nil, let words = Self.atEndOfFile[failure.problem] {
            self = words
        } else {
            self = Self.table[failure.problem] ?? Self.unlisted(failure)
        }
    }

    private static let aboutIndentation: Set<String> = [
        "found character that cannot start any token", "did not find expected key",
        "did not find expected '-' indicator", "did not find expected <document start>",
    ]

    private static func unlisted(_ failure: EventStream.Failure) -> ClearWords {
        if failure.context.hasSuffix("directive") {
            return ClearWords("this is no well-formed directive", "write '%YAML 1.2', or remove the line")
        }
        if failure.context.hasSuffix("a tag") {
            return ClearWords("this is no well-formed tag", "put text that begins with '!' in quotes")
        }
        return ClearWords("this is not well-formed YAML: \(failure.problem) \(failure.context)")
    }

    private static let atEndOfFile: [String: ClearWords] = [
        "did not find expected ',' or ']'": ClearWords(
            "the list is never closed", "close it with ']'", place: .whereItBegan),
        "did not find expected ',' or '}'": ClearWords(
            "the mapping is never closed", "close it with '}'", place: .whereItBegan),
        "did not find expected node content": ClearWords("the file ends where a value should stand"),
    ]

    private static let table: [String: ClearWords] = [
        "found a tab character that violates indentation": ClearWords("a tab cannot indent YAML", "use spaces"),
        "found a tab character where an indentation space is expected":
            ClearWords("a tab cannot indent YAML", "use spaces"),
        "could not find expected ':'": ClearWords(
            "a key without its ':'", "write ': ' after the key, or put text of several lines in quotes",
            place: .whereItBegan),
        "mapping values are not allowed in this context": ClearWords(
            "a ':' cannot stand here",
            "put text that holds ': ' in quotes; check the indentation and that a blank follows the ':' of each key"),
        "mapping keys are not allowed in this context": ClearWords(
            "a key cannot stand here", "begin it on a line of its own"),
        "block sequence entries are not allowed in this context": ClearWords(
            "a list entry '- ' cannot stand here", "begin the list on a line of its own"),
        "did not find expected key": ClearWords(
            "this is neither a new key of the mapping nor part of the value before it",
            "indent the keys of a mapping equally, and put the whole of a value in quotes",
            note: "the mapping begins here"),
        "did not find expected '-' indicator": ClearWords(
            "this is neither a new entry of the list nor part of the value before it",
            "begin each entry with '- ', all indented equally",
            note: "the list begins here"),
        "did not find expected ',' or ']'": ClearWords(
            "a ',' or ']' is missing before this", note: "the list begins here"),
        "did not find expected ',' or '}'": ClearWords(
            "a ',' or '}' is missing before this", note: "the mapping begins here"),
        "did not find expected node content": ClearWords("a value is missing here"),
        "did not find expected <document start>": ClearWords(
            "nothing may follow here but a new document",
            "begin a new document with '---', or check the indentation"),
        "found unexpected document indicator": ClearWords(
            "a new document begins inside quotes", "close the quoted text before it", place: .whereItBegan),
        "found unknown escape character": ClearWords(
            "an unknown escape in double quotes", "write '\\\\' for a backslash, or use single quotes"),
        "did not find expected hexdecimal number": ClearWords(
            "an escape with too few hexadecimal digits", "write '\\\\' for a backslash, or use single quotes"),
        "found invalid Unicode character escape code": ClearWords("an escape of a character that does not exist"),
        "found an indentation indicator equal to 0": ClearWords("the indentation of a block text is 1 to 9"),
        "did not find expected comment or line break": ClearWords("nothing but a comment may follow on this line"),
        "found undefined tag handle": ClearWords(
            "a tag with a prefix that no %TAG directive declares", "remove the tag"),
        "did not find expected alphabetic or numeric character": ClearWords(
            "a name of letters, digits, '-' and '_' must follow '*' and '&'",
            "put text that begins with '*' or '&' in quotes"),
        "found unknown directive name": ClearWords(
            "only the directives %YAML and %TAG are known", "remove the line", kind: .unknownDirective,
            place: .whereItBegan),
        "found incompatible YAML document": ClearWords(
            "only YAML 1.1 and 1.2 can be read", "write '%YAML 1.2', or remove the line", kind: .unknownVersion),
        "found extremely long version number": ClearWords(
            "only YAML 1.1 and 1.2 can be read", "write '%YAML 1.2', or remove the line", kind: .unknownVersion),
        "found duplicate %YAML directive": ClearWords("a document may have one %YAML directive", "remove this one"),
        "found duplicate %TAG directive": ClearWords(
            "a document may declare a tag prefix once", "remove this one"),
    ]
}
