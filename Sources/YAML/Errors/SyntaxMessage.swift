/// A message that replaces libyaml's wording, and the position to point at.
struct SyntaxMessage {
    enum Place {
        /// The position that libyaml reports.
        case reported
        /// The start of the construct. libyaml reports the end of the file or the next line, but people look at the
        /// start.
        case opening
    }

    private(set) var kind = YAMLError.Kind.syntax
    private(set) var place = Place.reported
    private(set) var message: String
    private(set) var suggestion: String?
    /// The note attached to the start of the construct.
    private(set) var note: String?

    private init(
        _ message: String, _ suggestion: String? = nil, kind: YAMLError.Kind = .syntax, place: Place = .reported,
        note: String? = nil
    ) {
        self.kind = kind
        self.place = place
        self.message = message
        self.suggestion = suggestion
        self.note = note
    }

    /// - Parameter character: the character at the reported position; `nil` at the end of the file.
    init(_ reported: EventStream.ParserError, character: Unicode.Scalar?) {
        if character == "\t", Self.aboutIndentation.contains(reported.problem) {
            self = Self.tab
        } else if reported.problem == "found character that cannot start any token" {
            self.init("a value cannot start with '\(character.map(String.init) ?? "")'", "put the value in quotes")
        } else if reported.problem == "found unexpected end of stream" {
            self.init(
                "the closing quote is missing", "end the text with the quote that it starts with", place: .opening)
        } else if character == nil, let words = Self.atEndOfFile[reported.problem] {
            self = words
        } else {
            self = Self.table[reported.problem] ?? Self.unlisted(reported)
        }
    }

    private static let aboutIndentation: Set<String> = [
        "found character that cannot start any token", "did not find expected key",
        "did not find expected '-' indicator", "did not find expected <document start>",
    ]

    private static func unlisted(_ reported: EventStream.ParserError) -> SyntaxMessage {
        if reported.context.hasSuffix("directive") {
            return SyntaxMessage("invalid directive", "write '%YAML 1.2', or remove the line")
        }
        if reported.context.hasSuffix("a tag") {
            return SyntaxMessage("invalid tag", "put text that starts with '!' in quotes")
        }
        return SyntaxMessage("invalid YAML: \(reported.problem) \(reported.context)")
    }

    private static let tab = SyntaxMessage("a tab is not allowed as indentation", "use spaces")

    private static let atEndOfFile: [String: SyntaxMessage] = [
        "did not find expected ',' or ']'": SyntaxMessage(
            "the list is not closed", "add ']' at its end", place: .opening),
        "did not find expected ',' or '}'": SyntaxMessage(
            "the mapping is not closed", "add '}' at its end", place: .opening),
        "did not find expected node content": SyntaxMessage("the file ends where a value is expected"),
    ]

    private static let unsupportedVersion = SyntaxMessage(
        "unsupported YAML version: only 1.1 and 1.2 are supported", "write '%YAML 1.2', or remove the line",
        kind: .unknownVersion)

    private static let table: [String: SyntaxMessage] = [
        "found a tab character that violates indentation": tab,
        "found a tab character where an indentation space is expected": tab,
        "could not find expected ':'": SyntaxMessage(
            "missing ':' after a key", "write ': ' after the key; put text of several lines in quotes",
            place: .opening),
        "mapping values are not allowed in this context": SyntaxMessage(
            "unexpected ':'",
            "put text that contains ': ' in quotes; check the indentation, and that a space follows the ':' of each key"
        ),
        "mapping keys are not allowed in this context": SyntaxMessage("unexpected key", "start the key on a new line"),
        "block sequence entries are not allowed in this context": SyntaxMessage(
            "unexpected list item '- '", "start the list on a new line"),
        "did not find expected key": SyntaxMessage(
            "expected the next key of the mapping",
            "indent all keys of the mapping equally; put the whole value before it in quotes",
            note: "the mapping starts here"),
        "did not find expected '-' indicator": SyntaxMessage(
            "expected the next item of the list", "start each item with '- ', all indented equally",
            note: "the list starts here"),
        "did not find expected ',' or ']'": SyntaxMessage(
            "missing ',' or ']' before this", note: "the list starts here"),
        "did not find expected ',' or '}'": SyntaxMessage(
            "missing ',' or '}' before this", note: "the mapping starts here"),
        "did not find expected node content": SyntaxMessage("missing value"),
        "did not find expected <document start>": SyntaxMessage(
            "expected the start of a document ('---')",
            "write '---' before each new document, or check the indentation"),
        "found unexpected document indicator": SyntaxMessage(
            "the closing quote is missing before '---'", "end the text with the quote that it starts with",
            place: .opening),
        "found unknown escape character": SyntaxMessage(
            "unknown escape sequence in double quotes", "write '\\\\' for a backslash, or use single quotes"),
        "did not find expected hexdecimal number": SyntaxMessage(
            "escape sequence with too few hexadecimal digits", "write '\\\\' for a backslash, or use single quotes"),
        "found invalid Unicode character escape code": SyntaxMessage(
            "escape sequence of a character that does not exist"),
        "found an indentation indicator equal to 0": SyntaxMessage(
            "invalid indentation of a block text: it must be 1 to 9"),
        "did not find expected comment or line break": SyntaxMessage(
            "unexpected text: only a comment may follow on this line"),
        "found undefined tag handle": SyntaxMessage(
            "unknown tag prefix: no %TAG directive declares it", "remove the tag"),
        "did not find expected alphabetic or numeric character": SyntaxMessage(
            "invalid name after '*' or '&'",
            "a name has letters, digits, '-' and '_'; put text that starts with '*' or '&' in quotes"),
        "found unknown directive name": SyntaxMessage(
            "unknown directive: only %YAML and %TAG are supported", "remove the line", kind: .unknownDirective,
            place: .opening),
        "found incompatible YAML document": unsupportedVersion,
        "found extremely long version number": unsupportedVersion,
        "found duplicate %YAML directive": SyntaxMessage("duplicate %YAML directive", "remove this one"),
        "found duplicate %TAG directive": SyntaxMessage("duplicate %TAG directive for one prefix", "remove this one"),
    ]
}
