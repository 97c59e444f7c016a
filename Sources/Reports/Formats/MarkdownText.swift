import FlowRuns
import Text

/// Markdown for a comment on GitHub.
///
/// Literals come from the program's source and are used unchanged. Interpolated values may be untrusted and are
/// escaped: they cannot add formatting, links or mentions.
///
/// ```swift
/// let line: MarkdownText = "- **failed** \(code: flow.name): \(reason)\n"
/// ```
package struct MarkdownText: Hashable, Sendable {
    package private(set) var source = ""

    init() {}

    fileprivate init(own source: String) { self.source = source }

    /// The size in bytes of UTF-8.
    var size: Int { source.utf8.count }
    var isEmpty: Bool { source.isEmpty }

    static func + (left: MarkdownText, right: MarkdownText) -> MarkdownText {
        MarkdownText(own: left.source + right.source)
    }

    static func += (left: inout MarkdownText, right: MarkdownText) { left.source += right.source }

    /// Returns a row of a table.
    package static func row(_ cells: [MarkdownText]) -> MarkdownText {
        MarkdownText(own: "| \(cells.map { withoutBars($0.source) }.joined(separator: " | ")) |\n")
    }

    /// Returns the header of a table, with the delimiter row below the titles.
    package static func head(_ titles: [String], numbersFrom firstNumber: Int) -> MarkdownText {
        row(titles.map { "\($0)" }) + row(titles.indices.map { $0 < firstNumber ? "---" : "---:" })
    }

    /// Returns a line of a code block. Only a line that consists of the fence ends the block, so a line that begins
    /// with a fixed word cannot end it.
    static func codeLine(_ text: String) -> MarkdownText { MarkdownText(own: printable(text) + "\n") }

    /// Returns a code block with a fence that is longer than any in its content.
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

        /// Interpolates a value as inline code.
        package mutating func appendInterpolation(code value: some CustomStringConvertible) {
            text.source += codeSpan(value.description)
        }

        /// Interpolates a value as text within an HTML element, such as `<code>`.
        package mutating func appendInterpolation(html value: some StringProtocol) {
            text.source += htmlEscaped(String(value))
        }
    }

    package init(stringLiteral source: String) { self.init(own: source) }
    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
}

/// Escapes running text, so that no character has a special meaning in Markdown, HTML or GitHub.
///
/// GitHub finds mentions, references and URLs in the rendered page, where escapes are gone, so a zero-width space
/// interrupts them.
private func escaped(_ text: String) -> String {
    let breaker = "\u{200B}"
    var escaped = ""
    // The last scalars, as lower case.
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
    // Markdown strips one space from both ends of a code span, but only if there is one at both.
    let isPadded = fence.count > 1 || (shown.hasPrefix(" ") && shown.hasSuffix(" "))
    return isPadded ? "\(fence) \(shown) \(fence)" : fence + shown + fence
}

/// Escapes the bars in a table cell. Markdown splits a row into cells first, so a bar needs a backslash even in code.
private func withoutBars(_ cell: String) -> String {
    var isEscaped = false
    return cell.unicodeScalars.reduce(into: "") { shown, scalar in
        if scalar == "|", !isEscaped { shown += "\\" }
        isEscaped = scalar == "\\" && !isEscaped
        shown.unicodeScalars.append(scalar)
    }
}

private func longestRun(of character: Unicode.Scalar, in text: String) -> Int {
    var (run, longest) = (0, 0)
    for scalar in text.unicodeScalars {
        run = scalar == character ? run + 1 : 0
        longest = max(longest, run)
    }
    return longest
}

/// Markdown with a size limit in bytes of UTF-8, which is also a limit in characters.
struct BoundedMarkdown {
    /// The default limit in bytes. A comment on GitHub has at most 65,536 characters; the rest is left for bots to add
    /// text.
    static let maxBytes = 60_000

    private(set) var text = MarkdownText()
    /// The remaining bytes.
    private(set) var left: Int

    init(limit: Int = maxBytes) { left = limit }

    /// Appends a piece if all of it fits, and returns whether the piece was appended.
    @discardableResult
    mutating func add(_ piece: MarkdownText) -> Bool {
        guard piece.size <= left else { return false }
        left -= piece.size
        text += piece
        return true
    }

    /// Appends pieces while they fit.
    ///
    /// - Parameters:
    ///   - share: The maximum number of bytes for all pieces together.
    ///   - head: A text before the pieces; like `tail`, it is omitted if no piece fits.
    ///   - tail: A text after the pieces.
    /// - Returns: The number of pieces that were appended.
    mutating func add(
        _ pieces: some Sequence<MarkdownText>, share: Int = .max, head: MarkdownText = "", tail: MarkdownText = ""
    ) -> Int {
        var rest = min(share, left) - head.size - tail.size
        var body = MarkdownText()
        var count = 0
        for piece in pieces {
            guard piece.size <= rest else { break }
            rest -= piece.size
            body += piece
            count += 1
        }
        if count > 0 { add(head + body + tail) }
        return count
    }
}
