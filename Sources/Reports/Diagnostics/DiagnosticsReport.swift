import FlowRuns
import Manifests
import Text

/// The diagnostics of manifests, in each format.
package struct DiagnosticsReport: Sendable {
    package let diagnostics: [Diagnostic]
    /// The files with the lines to show. A diagnostic about another file is shown without its line.
    package let sources: [SourceFile]
    /// The target whose plan the manifests prevent, if it is known.
    package var target: String?

    package init(_ diagnostics: [Diagnostic], sources: [SourceFile]) {
        self.diagnostics = diagnostics
        self.sources = sources
    }

    package func lines(_ style: TextStyle) -> [StyledText] { DiagnosticText(diagnostics, sources, style).lines }
}

extension DiagnosticsReport: Report {
    package static let renderings: [Rendering<DiagnosticsReport>] = [
        .text { report, style in report.lines(style) },
        .json { report, json, _ in json.members(of: report.diagnostics) },
        .markdown { report in report.markdown },
        .github { report in report.diagnostics.annotations },
    ]
}

extension [Diagnostic] {
    /// The diagnostics as annotations, errors first: GitHub shows ten of each severity per step.
    var annotations: [WorkflowCommand] {
        errorsFirst.map { diagnostic in
            WorkflowCommand(
                diagnostic.severity == .error ? .error : .warning, at: diagnostic.place,
                title: diagnostic.code.rawValue,
                [diagnostic.message] + [diagnostic.suggestion.map { "help: \($0)" }].compactMap(\.self)
                    + diagnostic.notes.map { "note: \($0.message) (\($0.place))" })
        }
    }

    /// The errors, then the warnings, so that warnings cannot hide an error.
    var errorsFirst: [Diagnostic] {
        filter { $0.severity == .error } + filter { $0.severity == .warning }
    }
}

extension JSONText {
    /// Writes `"formatVersion":1,"errors":…,"warnings":…,"diagnostics":[…]`.
    fileprivate mutating func members(of diagnostics: [Diagnostic]) {
        member("formatVersion", 1)
        member("errors", diagnostics.count { $0.severity == .error })
        member("warnings", diagnostics.count { $0.severity == .warning })
        array("diagnostics") { json in
            for diagnostic in diagnostics { json.line { $0.members(of: diagnostic) } }
        }
    }

    package mutating func members(of diagnostic: Diagnostic) { Diagnostic.coding.write(diagnostic, to: &self) }
}

extension DiagnosticsReport {
    /// The diagnostics as a comment in place of a plan, with the marker by which a bot finds the comment to update.
    fileprivate var markdown: MarkdownText {
        var comment = BoundedMarkdown()
        let errors = diagnostics.count { $0.severity == .error }
        let title = errors > 0 ? "🛑 Sluice cannot plan: \(counted(errors, "error")) in the manifests" : "No errors"
        comment.add("\(MarkdownText.planMarker(of: target))\n### \(title)\n\n")
        let shown = comment.add(diagnostics.errorsFirst.lazy.map(\.markdownItem), share: comment.left - 100)
        if shown < diagnostics.count { comment.add("\n_Left out for length: \(diagnostics.count - shown)._\n") }
        return comment.text
    }
}

extension MarkdownText {
    /// The first line of every comment on a target's plan, by which a bot finds the comment to update.
    static func planMarker(of target: String?) -> MarkdownText {
        guard let target else { return "<!-- sluice:plan -->" }
        // Two hyphens would end the HTML comment.
        let name = target.prefix(200).replacing("--", with: "- -").replacing(">", with: "")
        return "<!-- sluice:plan target=\(html: name) -->"
    }
}

extension Diagnostic {
    /// The diagnostic as an item of a list.
    var markdownItem: MarkdownText {
        var text: MarkdownText = severity == .error ? "- 🛑" : "- ⚠️"
        text += " **\(code.rawValue)**"
        if let place { text += " \(code: place):" }
        text += " \(message)"
        if let suggestion { text += " _(\(suggestion))_" }
        return text + "\n"
    }
}

extension [Diagnostic] {
    /// The diagnostics grouped by code, severity and message, in the order of the first of each group.
    var byCause: [[Diagnostic]] {
        groups { diagnostic in
            [
                diagnostic.code.rawValue, diagnostic.severity.rawValue,
                String(diagnostic.message.prefix(300)).withoutIDs,
            ]
        }.map(\.elements)
    }
}

/// Diagnostics in the terminal view: the problem, its position, the source line with a marker, and a suggestion; then
/// the counts.
///
/// ```
/// error[SLU0101]: unknown key 'deltaColum' in a flow
///   --> flows/crm.yaml:12:7
///    |
/// 12 |       deltaColum: {name: DOB}
///    |       ^^^^^^^^^^
///    = help: did you mean 'deltaColumn'?
/// ```
struct DiagnosticText {
    private let diagnostics: [Diagnostic]
    private let sources: [String: SourceLines]
    private let style: TextStyle

    init(_ diagnostics: [Diagnostic], _ sources: [SourceFile], _ style: TextStyle) {
        self.diagnostics = diagnostics
        self.style = style
        let places = diagnostics.flatMap { [$0.place].compactMap(\.self) + $0.notes.map(\.place) }
        let lineNumbers = Dictionary(grouping: places, by: \.file).mapValues { Set($0.map(\.line)) }
        var lines: [String: SourceLines] = [:]
        for source in sources {
            if let numbers = lineNumbers[source.path] {
                lines[source.path] = SourceLines(of: source, lineNumbers: numbers)
            }
        }
        self.sources = lines
    }

    /// The lines to print; empty if there are no diagnostics.
    var lines: [StyledText] {
        guard !diagnostics.isEmpty else { return [] }
        return diagnostics.flatMap { lines(of: $0) } + [counts]
    }

    private func lines(of diagnostic: Diagnostic) -> [StyledText] {
        let tone: TextStyle.Tone = diagnostic.severity == .error ? .error : .warning
        let title = style.paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]", tone)
        var lines = style.wrap("\(title)\(style.paint(": \(diagnostic.message)", .strong))")

        let places = [diagnostic.place].compactMap(\.self) + diagnostic.notes.map(\.place)
        let gutter = String(places.map(\.line).max() ?? 0).count
        if let place = diagnostic.place { lines += self.lines(of: place, tone, gutter) }
        if let suggestion = diagnostic.suggestion {
            lines += style.wrap(margin(gutter, sign: "=", "\(style.paint("help", .help)): \(suggestion)"))
        }
        for note in diagnostic.notes {
            lines += style.wrap("\(style.paint("note", .help)): \(note.message)")
            lines += self.lines(of: note.place, .help, gutter)
        }
        return lines + .blank
    }

    private func lines(of place: Place, _ tone: TextStyle.Tone, _ gutter: Int) -> [StyledText] {
        let arrow: StyledText = "\(StyledText.spaces(gutter))\(style.paint("-->", .margin)) \(place)"
        guard let source = sources[place.file]?[place.line] else { return [arrow] }
        let excerpt = SourceExcerpt(source, column: place.column, length: place.length)
        let number = String(place.line)
        let head: StyledText = "\(StyledText.spaces(gutter - number.count))\(style.paint("\(number) |", .margin))"
        return [
            arrow, margin(gutter, sign: "|"), excerpt.text.isEmpty ? head : "\(head) \(excerpt.text)",
            margin(gutter, sign: "|", "\(excerpt.indent)\(style.paint(excerpt.carets, tone))"),
        ]
    }

    private func margin(_ gutter: Int, sign: String, _ text: StyledText = "") -> StyledText {
        let margin: StyledText = "\(StyledText.spaces(gutter + 1))\(style.paint(sign, .margin))"
        return text.isEmpty ? margin : "\(margin) \(text)"
    }

    private var counts: StyledText {
        func count(_ severity: Diagnostic.Severity) -> String? {
            let count = diagnostics.count { $0.severity == severity }
            return count == 0 ? nil : counted(count, severity.rawValue)
        }
        return "\([count(.error), count(.warning)].compactMap(\.self).joined(separator: ", "))"
    }
}

/// A source line for display: with expanded tabs, visible control characters and masked passwords, and with only the
/// part around the marked place if the line is long.
struct SourceExcerpt {
    /// The maximum number of source characters shown.
    static let width = 100

    let text: String
    /// The spaces before the carets.
    let indent: String
    let carets: String

    init(_ line: [Unicode.Scalar], column: Int, length: Int) {
        let secrets = secretSpans(in: line)
        let place = min(max(0, column - 1), line.count)
        let range = Self.visible(line.count, around: place, length)
        var shown = range.lowerBound > 0 ? "…" : ""
        var before = shown.count
        var marked = 0
        for index in range {
            let isSecret = secrets.contains { $0.contains(index) }
            let (piece, columns) = Self.piece(isSecret ? "*" : line[index])
            shown += piece
            if index < place { before += columns } else if index - place < length { marked += columns }
        }
        text = shown + (range.upperBound < line.count ? "…" : "")
        indent = String(repeating: " ", count: before)
        carets = String(repeating: "^", count: max(1, marked))
    }

    private static func piece(_ scalar: Unicode.Scalar) -> (text: String, columns: Int) {
        if scalar == "\t" { return ("    ", 4) }
        let shown = scalar.shown
        return (String(shown), shown.columns)
    }

    /// Returns the whole line if it fits, otherwise a part that has the marked place near its beginning.
    private static func visible(_ count: Int, around place: Int, _ length: Int) -> Range<Int> {
        guard count > width else { return 0..<count }
        let start = place + min(length, width / 2) <= width ? 0 : max(0, min(place - width / 4, count - width))
        return start..<min(count, start + width)
    }
}

/// The lines of a file that diagnostics show, found in one pass over its bytes. A line ends with LF or CRLF, as in editors.
struct SourceLines {
    private var lines: [Int: [Unicode.Scalar]] = [:]

    /// Finds lines by their numbers.
    ///
    /// - Parameter lineNumbers: The line numbers, counted from 1.
    init(of file: SourceFile, lineNumbers: Set<Int>) {
        guard let last = lineNumbers.max() else { return }
        let bytes = utf8Text(file.bytes)
        var number = 1
        var start = 0
        var index = 0
        while index < bytes.count, number <= last {
            if bytes[index] == 0x0A {
                keep(bytes[start..<index], number: number, ifIn: lineNumbers)
                number += 1
                start = index + 1
            }
            index += 1
        }
        if number <= last { keep(bytes[start...], number: number, ifIn: lineNumbers) }
    }

    /// The line with this number; `nil` if it was not requested or the file is shorter.
    subscript(number: Int) -> [Unicode.Scalar]? { lines[number] }

    private mutating func keep(_ line: ArraySlice<UInt8>, number: Int, ifIn lineNumbers: Set<Int>) {
        guard lineNumbers.contains(number) else { return }
        let line = line.last == 0x0D ? line.dropLast() : line
        // A line of megabytes is not shown whole; what is near any column that people look at is.
        lines[number] = Array(String(decoding: line.prefix(1 << 20), as: UTF8.self).unicodeScalars)
    }
}
