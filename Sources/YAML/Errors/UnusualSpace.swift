extension Unicode.Scalar {
    /// Whether people take it for a space, or for nothing, and YAML takes it for text: no-break and typographic spaces, and
    /// the zero-width ones.
    package var isUnusualSpace: Bool {
        switch value {
        case 0...0x9F: false
        case 0x180E, 0x200B, 0x2060, 0xFEFF: true
        default: properties.generalCategory == .spaceSeparator
        }
    }

    /// `no-break space (U+00A0)`
    package var nameAndCode: String {
        let code = String(value, radix: 16, uppercase: true)
        let name = properties.name?.lowercased() ?? "character"
        return "\(name) (U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code))"
    }
}

/// Unusual spaces where YAML needs a space, as text that is copied from a page or a document has them.
enum UnusualSpace {
    /// How many lines before a syntax error are searched.
    private static let reach = 20

    /// The error at an unusual space at the start or end of a plain scalar, after a colon or before a comment: the scalar
    /// is not what it looks like. Within words such a space is text.
    ///
    /// - Parameter start: of the scalar in `input`.
    static func error(
        inPlain text: UnsafeBufferPointer<UInt8>, start: Mark, _ input: UnsafeBufferPointer<UInt8>
    ) -> YAMLError? {
        guard text.contains(where: { $0 >= 0xC2 }) else { return nil }
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        let isMisleading = scalars.indices.contains { index in
            guard scalars[index].isUnusualSpace else { return false }
            let before = scalars[..<index].last { !$0.isUnusualSpace && $0 != " " }
            let after = scalars[index...].first { !$0.isUnusualSpace && $0 != " " }
            let isAfterIndicator = index == 1 && (before == "-" || before == "?")
            return before == nil || after == nil || isAfterIndicator || scalars[index - 1] == ":" || after == "#"
        }
        guard isMisleading else { return nil }
        var unusual: (scalar: Unicode.Scalar, mark: Mark)?
        SourceText(input).walk { scalar, mark in
            if let scalar, mark >= start, scalar.isUnusualSpace { unusual = (scalar, mark) }
            return unusual == nil
        }
        return unusual.map { error($0.scalar, at: $0.mark, note: nil) }
    }

    /// The error that replaces a syntax error where an unusual space at or before it most likely is the cause.
    ///
    /// - Parameters:
    ///   - first: the line on which the construct starts.
    ///   - message: of the syntax error.
    static func error(before reported: Mark, from first: Int, in text: SourceText, _ message: String) -> YAMLError? {
        let lines = max(first, reported.line - reach)...max(first, reported.line)
        var unusual: (scalar: Unicode.Scalar, mark: Mark)?
        var line: [(scalar: Unicode.Scalar, mark: Mark)] = []
        text.walk { scalar, mark in
            if let scalar, scalar != "\n", lines.contains(mark.line) {
                line.append((scalar, mark))
            } else {
                unusual = unusual ?? line.indices.first { isStructural($0, line.map(\.scalar)) }.map { line[$0] }
                line = []
            }
            return mark.line <= lines.upperBound && unusual == nil
        }
        let note = YAMLError.Note(mark: reported, message: "because of it, YAML reports here: \(message)")
        return unusual.map { error($0.scalar, at: $0.mark, note: note) }
    }

    /// Whether the character is an unusual space where a space has a meaning: in the indentation, at the end of the line,
    /// after a colon, a quote or a list's dash, or before a comment.
    private static func isStructural(_ index: Int, _ line: [Unicode.Scalar]) -> Bool {
        guard line[index].isUnusualSpace else { return false }
        let isBlank: (Unicode.Scalar) -> Bool = { $0.isUnusualSpace || $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let before = line[..<index].last(where: { !isBlank($0) }),
            let after = line[index...].first(where: { !isBlank($0) })
        else { return true }
        let isAfterDash =
            (before == "-" || before == "?") && line[..<index].allSatisfy { isBlank($0) || $0 == "-" || $0 == "?" }
        return isAfterDash || [":", "\"", "'", "]", "}", ","].contains(before) || after == "#"
    }

    private static func error(_ scalar: Unicode.Scalar, at start: Mark, note: YAMLError.Note?) -> YAMLError {
        YAMLError(
            .syntax, start: start, end: Mark(line: start.line, column: start.column + 1),
            "the \(scalar.nameAndCode) is not a space in YAML",
            suggestion: "replace it with a space or remove it, or put the text that it belongs to in quotes", note: note
        )
    }
}
