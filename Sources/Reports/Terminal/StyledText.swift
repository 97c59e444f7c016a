import FlowRuns
import Text

/// A line for a terminal or a log, with colours.
///
/// Literals come from the program's source and are used unchanged. Interpolated values may be untrusted and are passed
/// through `printable(_:)`, so that no name can start a line, change colours, or control a terminal or a workflow.
///
/// ```swift
/// let line: StyledText = "\(style.paint("!", .error)) \(flow.name): \(reason)"
/// ```
package struct StyledText: Hashable, Sendable {
    fileprivate var printed = ""
    /// The width in terminal columns.
    package private(set) var columns = 0

    package init() {}

    fileprivate init(own text: String, columns: Int) {
        printed = text
        self.columns = columns
    }

    package var isEmpty: Bool { printed.isEmpty }

    /// The printed line, without a line break.
    package var line: String { withoutWorkflowCommands(printed) }

    package static func += (left: inout StyledText, right: StyledText) {
        left.printed += right.printed
        left.columns += right.columns
    }

    /// Splits the line between words into lines of at most `width` columns, of which all but the first are indented.
    ///
    /// A word that is longer than a line stays whole, because a shortened path or address could not be copied.
    fileprivate func wrapped(to width: Int, indent: Int) -> [StyledText] {
        guard columns > width else { return [self] }
        let start = printed.prefix { $0 == " " }
        var lines: [StyledText] = []
        var line = StyledText(own: String(start), columns: start.count)
        var isEmpty = true
        for word in printed.dropFirst(start.count).split(separator: " ") {
            let size = String(word.replacing(/\u{1B}\[[0-9;]*m/, with: "")).columns
            if !isEmpty, line.columns + 1 + size > width {
                lines.append(line)
                line = .spaces(indent)
                isEmpty = true
            }
            line += StyledText(own: isEmpty ? String(word) : " \(word)", columns: size + (isEmpty ? 0 : 1))
            isEmpty = false
        }
        return lines + [line]
    }

    static func spaces(_ count: Int) -> StyledText {
        StyledText(own: String(repeating: " ", count: max(0, count)), columns: max(0, count))
    }
}

extension StyledText: ExpressibleByStringInterpolation {
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = StyledText()

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            text += StyledText(own: literal, columns: literal.columns)
        }

        package mutating func appendInterpolation(_ styled: StyledText) { text += styled }

        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            let shown = printable(value.description)
            text += StyledText(own: shown, columns: shown.columns)
        }
    }

    package init(stringLiteral text: String) { self.init(own: text, columns: text.columns) }

    package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
}

extension [StyledText] {
    /// The lines as one text, each with a line break.
    package var page: String { map { $0.line + "\n" }.joined() }

    package func joined(separator: StyledText) -> StyledText {
        dropFirst().reduce(first ?? StyledText()) { "\($0)\(separator)\($1)" }
    }

    /// A single empty line.
    package static var blank: [StyledText] { [StyledText()] }
}

extension TextStyle {
    package func paint(_ text: String, _ tone: Tone) -> StyledText {
        let shown = printable(text)
        let isPainted = color && tone != .plain && !shown.isEmpty
        return StyledText(
            own: isPainted ? "\u{1B}[\(tone.rawValue)m\(shown)\u{1B}[0m" : shown, columns: shown.columns)
    }

    /// Formats one line, truncated to the width.
    package func cutLine(_ text: String) -> StyledText {
        let shown = printable(text)
        return "\(width.map { shown.cutAtEnd(to: $0 - 1, self) } ?? shown)"
    }

    /// Wraps one line of a message between words to the width. Further lines are indented like the first one, or like the
    /// text of a list item.
    package func wrap(_ line: StyledText) -> [StyledText] {
        let indent = line.line.prefix { " -".contains($0) }.count
        return width.map { line.wrapped(to: $0, indent: indent) } ?? [line]
    }

    /// Formats a sentence that ends with a command, which is never wrapped, so that it can be pasted: the command is below
    /// the sentence if both do not fit on one line.
    package func lines(_ text: String, command: String) -> [StyledText] {
        let line: StyledText = "\(text): \(command)"
        guard let width, line.columns > width else { return [line] }
        return lines("\(text):") + ["  \(command)"]
    }

    /// Puts two texts on one line if they fit, otherwise the second on lines of its own.
    func nextToOrBelow(_ head: StyledText, text: String) -> [StyledText] {
        guard let width, head.columns + 2 + text.columns > width else { return ["\(head)  \(text)"] }
        return [head] + lines(text, indent: 4)
    }

    /// Wraps a text between words to the width, with an indent and in one tone.
    ///
    /// - Parameters:
    ///   - text: The text to wrap.
    ///   - tone: The tone of all lines.
    ///   - indent: The number of spaces before each line.
    ///   - first: A text as wide as the indent, which replaces the indent of the first line.
    package func lines(
        _ text: String, _ tone: Tone = .plain, indent: Int = 0, first: StyledText? = nil
    ) -> [StyledText] {
        let shown = printable(text)
        guard !shown.isEmpty else { return first.map { [$0] } ?? [] }
        let line = StyledText(own: shown, columns: shown.columns)
        let pieces = width.map { line.wrapped(to: $0 - indent, indent: 0) } ?? [line]
        return pieces.enumerated().map { index, piece in
            let start = index == 0 ? first ?? .spaces(indent) : .spaces(indent)
            return "\(start)\(paint(piece.printed, tone))"
        }
    }
}

/// Disables workflow commands: GitHub's runner executes `::` at the beginning of a line, and `##[` anywhere in it.
private func withoutWorkflowCommands(_ line: String) -> String {
    var line = line
    if line.contains("##") { line = line.replacing("##[", with: "# #[") }
    let text = line.drop { $0.isWhitespace }
    return text.hasPrefix("::") ? line.prefix(line.count - text.count) + ": :" + text.dropFirst(2) : line
}
