import FlowRuns
import Manifests
import Text

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
