import FlowRuns
import Text

/// Markdown for a comment on GitHub.
///
/// Literals are the program's own and stand as they are; what is interpolated may come from outside and is escaped: it
/// formats nothing, links nothing and mentions nobody.
///
/// ```swift
/// let line: MarkdownText = "- **failed** \(code: flow.name): \(reason)\n"
/// ```
package struct MarkdownText: Hashable, Sendable {
    package private(set) var source = ""

    init() {}

    fileprivate init(own source: String) { self.source = source }

    /// In bytes of UTF-8.
    var size: Int { source.utf8.count }
    var isEmpty: Bool { source.isEmpty }

    static func + (left: MarkdownText, right: MarkdownText) -> MarkdownText {
        MarkdownText(own: left.source + right.source)
    }

    static func += (left: inout MarkdownText, right: MarkdownText) { left.source += right.source }

    /// A row of a table.
    package static func row(_ cells: [MarkdownText]) -> MarkdownText {
        MarkdownText(own: "| \(cells.map { withoutBars($0.source) }.joined(separator: " | ")) |\n")
    }

    /// The title row of a table and the line below it.
    package static func head(_ titles: [String], numbersFrom firstNumber: Int) -> MarkdownText {
        row(titles.map { "\($0)" }) + row(titles.indices.map { $0 < firstNumber ? "---" : "---:" })
    }

    /// A line within a block of code. A block ends at a line of nothing but its fence, so a line that begins with a word
    /// of the program's own cannot end it.
    static func codeLine(_ text: String) -> MarkdownText { MarkdownText(own: printable(text) + "\n") }

    /// A block of code; whatever is in it cannot end it.
    static func block(_ lines: [String], language: StaticString) -> MarkdownText {
        let text = lines.map { printable($0) + "\n" }.joined()
        let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
        return MarkdownText(own: "\(fence)\(language)\n\(text)\(fence)\n")
    }
}

extension MarkdownText: ExpressibleByStringInterpolation {
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = MarkdownText()

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { text.source += literal }

        package mutating func appendInterpolation(_ markdown: MarkdownText) { text += markdown }

        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text.source += escaped(value.description)
        }

        /// Code within a line.
        package mutating func appendInterpolation(code value: some CustomStringConvertible) {
            text.source += codeSpan(value.description)
        }

        /// Text within an element of HTML, such as `<code>`.
        package mutating func appendInterpolation(html value: some StringProtocol) {
            text.source += htmlEscaped(String(value))
        }
    }

    package init(stringLiteral source: String) { self.init(own: source) }
    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
}

/// Running text: every character that Markdown, HTML or GitHub gives a meaning there loses it. A mention, a reference or
/// an address is read from the finished page, where escapes are gone: so a space without width breaks it up.
private func escaped(_ text: String) -> String {
    let breaker = "\u{200B}"
    var escaped = ""
    // The last scalars, in lower case.
    var recent: [Unicode.Scalar] = []
    for scalar in printable(text).unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "@": escaped += "@" + breaker
        case "#": escaped += "\\#" + breaker
        case "/" where recent.last == ":": escaped += breaker + "/"
        case "." where recent.suffix(3) == ["w", "w", "w"]: escaped += breaker + "."
        case "-" where recent.suffix(2) == ["g", "h"]: escaped += breaker + "-"
        case "\\", "`", "*", "_", "[", "]", "|", "~", "$": escaped += "\\\(scalar)"
        default: escaped.unicodeScalars.append(scalar)
        }
        recent = recent.suffix(2) + [scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar]
    }
    return escaped
}

private func codeSpan(_ text: String) -> String {
    let shown = printable(text)
    guard !shown.isEmpty else { return "" }
    let fence = String(repeating: "`", count: longestRun(of: "`", in: shown) + 1)
    // A span loses one space at each end, and only where it has one at both.
    let isPadded = fence.count > 1 || (shown.hasPrefix(" ") && shown.hasSuffix(" "))
    return isPadded ? "\(fence) \(shown) \(fence)" : fence + shown + fence
}

/// A table is cut into cells before anything in them is read, so a bar needs a backslash even within code.
private func withoutBars(_ cell: String) -> String {
    var isEscaped = false
    return cell.unicodeScalars.reduce(into: "") { shown, scalar in
        if scalar == "|", !isEscaped { shown += "\\" }
        isEscaped = scalar == "\\" && !isEscaped
        shown.unicodeScalars.append(scalar)
    }
}

private func longestRun(of wanted: Unicode.Scalar, in text: String) -> Int {
    var (run, longest) = (0, 0)
    for scalar in text.unicodeScalars {
        run = scalar == wanted ? run + 1 : 0
        longest = max(longest, run)
    }
    return longest
}
