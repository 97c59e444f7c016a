import FlowRuns
import Manifests
import Text

/// Diagnostics as people read them: what, where, the line itself with the place marked, and what to write instead.
///
/// ```
/// error[SLU0101]: unknown key 'deltaColum' in a flow
///   --> flows/crm.yaml:12:7
///    |
/// 12 |       deltaColum: {name: DOB}
///    |       ^^^^^^^^^^
///    = help: did you mean 'deltaColumn'?
/// ```
///
/// - Parameters:
///   - diagnostics: shown in the order in which they are given, with their counts at the end.
///   - sources: the files that they are about; of a file that is not among them no line is shown.
///   - color: whether to use the terminal's colours.
/// - Returns: lines that each end in a line break; empty when there are no diagnostics.
package func text(_ diagnostics: [Diagnostic], sources: [SourceFile], color: Bool) -> String {
    guard !diagnostics.isEmpty else { return "" }
    var text = DiagnosticText(diagnostics, sources, Palette(isOn: color))
    for diagnostic in diagnostics { text.add(diagnostic) }
    text.addCounts(of: diagnostics)
    return text.written
}

private struct DiagnosticText {
    private(set) var written = ""
    private let lines: [String: SourceLines]
    private let palette: Palette

    init(_ diagnostics: [Diagnostic], _ sources: [SourceFile], _ palette: Palette) {
        self.palette = palette
        let places = diagnostics.flatMap { [$0.place].compactMap(\.self) + $0.notes.map(\.place) }
        let wanted = Dictionary(grouping: places, by: \.file).mapValues { Set($0.map(\.line)) }
        var lines: [String: SourceLines] = [:]
        for source in sources {
            if let numbers = wanted[source.path] { lines[source.path] = SourceLines(of: source, wanted: numbers) }
        }
        self.lines = lines
    }

    mutating func add(_ diagnostic: Diagnostic) {
        let style: Palette.Style = diagnostic.severity == .error ? .error : .warning
        let title = palette.paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]", style)
        line(title + palette.paint(": " + printable(diagnostic.message), .strong))

        let places = [diagnostic.place].compactMap(\.self) + diagnostic.notes.map(\.place)
        let gutter = String(places.map(\.line).max() ?? 0).count
        if let place = diagnostic.place { add(place, style, gutter) }
        if let suggestion = diagnostic.suggestion {
            margin(gutter, "=", palette.paint("help", .help) + ": " + printable(suggestion))
        }
        for note in diagnostic.notes {
            line(palette.paint("note", .help) + ": " + printable(note.message))
            add(note.place, .help, gutter)
        }
        line("")
    }

    mutating func addCounts(of diagnostics: [Diagnostic]) {
        func count(_ severity: Diagnostic.Severity) -> String? {
            let count = diagnostics.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        line([count(.error), count(.warning)].compactMap(\.self).joined(separator: ", "))
    }

    private mutating func add(_ place: Place, _ style: Palette.Style, _ gutter: Int) {
        let arrow = String(repeating: " ", count: gutter) + palette.paint("-->", .margin)
        line("\(arrow) \(printable(place.description))")
        guard let source = lines[place.file]?[place.line] else { return }
        let excerpt = SourceExcerpt(source, column: place.column, length: place.length)
        margin(gutter, "|", "")
        let number = String(place.line)
        let padding = String(repeating: " ", count: gutter - number.count)
        line("\(padding)\(palette.paint("\(number) |", .margin)) \(excerpt.text)")
        margin(gutter, "|", excerpt.indent + palette.paint(excerpt.carets, style))
    }

    private mutating func margin(_ gutter: Int, _ mark: String, _ text: String) {
        line(
            String(repeating: " ", count: gutter + 1) + palette.paint(mark, .margin) + (text.isEmpty ? "" : " " + text))
    }

    private mutating func line(_ text: String) {
        written += text
        // A line that shows nothing but an empty source line must not end in a space.
        while written.last == " " { written.removeLast() }
        written += "\n"
    }
}

/// One source line as it is shown: tabs widened, control characters made visible, passwords hidden, and cut around the
/// place when it is long.
struct SourceExcerpt {
    /// How many columns of a line are shown.
    static let width = 100

    let text: String
    /// What stands before the carets.
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

    /// The whole line when it fits, else as much as fits with the place not far from its beginning.
    private static func visible(_ count: Int, around place: Int, _ length: Int) -> Range<Int> {
        guard count > width else { return 0..<count }
        let start = place + min(length, width / 2) <= width ? 0 : max(0, min(place - width / 4, count - width))
        return start..<min(count, start + width)
    }
}

/// The colours of a terminal, or none.
private struct Palette {
    enum Style: String {
        case error = "1;31"
        case warning = "1;33"
        case help = "1;36"
        case margin = "1;34"
        case strong = "1"
    }

    let isOn: Bool

    func paint(_ text: String, _ style: Style) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}
