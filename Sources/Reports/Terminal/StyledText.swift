import FlowRuns
import Text

/// One line for a terminal or a log, in colours.
///
/// Literals are the program's own and stand as they are; what is interpolated may come from outside and is made
/// ``printable(_:)`` first, so no name can start a line, paint, or command a terminal or a workflow.
///
/// ```swift
/// let line: StyledText = "\(style.paint("!", .error)) \(flow.name): \(reason)"
/// ```
package struct StyledText: Hashable, Sendable {
    private var printed = ""
    /// How many columns of a terminal it takes.
    package private(set) var columns = 0

    package init() {}

    fileprivate init(own text: String, columns: Int) {
        printed = text
        self.columns = columns
    }

    package var isEmpty: Bool { printed.isEmpty }

    /// The line as it is printed, without a line break.
    package var line: String { withoutWorkflowCommands(printed) }

    package static func += (left: inout StyledText, right: StyledText) {
        left.printed += right.printed
        left.columns += right.columns
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
    /// Each with its line break.
    package var page: String { map { $0.line + "\n" }.joined() }

    package func joined(separator: StyledText) -> StyledText {
        dropFirst().reduce(first ?? StyledText()) { "\($0)\(separator)\($1)" }
    }

    /// One empty line.
    package static var blank: [StyledText] { [StyledText()] }
}

extension TextStyle {
    package func paint(_ text: String, _ tone: Tone) -> StyledText {
        let shown = printable(text)
        let isPainted = color && tone != .plain && !shown.isEmpty
        return StyledText(
            own: isPainted ? "\u{1B}[\(tone.rawValue)m\(shown)\u{1B}[0m" : shown, columns: shown.columns)
    }

    /// One line, cut where it would not fit the width.
    package func cutLine(_ text: String) -> StyledText {
        let shown = printable(text)
        return "\(width.map { shown.cutAtEnd(to: $0 - 1, self) } ?? shown)"
    }

    /// Two texts on one line, or the second on lines of its own where that would be too long.
    func besideOrBelow(_ head: StyledText, _ text: String) -> [StyledText] {
        guard let width, head.columns + 2 + text.columns > width else { return ["\(head)  \(text)"] }
        return [head] + lines(text, indent: 4)
    }

    /// Lines that fit the width, broken between words, each after the indent and in one tone.
    ///
    /// - Parameter first: stands before the first line instead of the indent, and is as wide.
    package func lines(
        _ text: String, _ tone: Tone = .plain, indent: Int = 0, first: StyledText? = nil
    ) -> [StyledText] {
        let shown = printable(text)
        let pieces = width.map { shown.wrapped(to: $0 - indent, self) } ?? (shown.isEmpty ? [] : [shown])
        guard !pieces.isEmpty else { return first.map { [$0] } ?? [] }
        return pieces.enumerated().map { index, piece in
            let start = index == 0 ? first ?? .spaces(indent) : .spaces(indent)
            return "\(start)\(paint(piece, tone))"
        }
    }
}

/// GitHub's runner takes a line that begins with `::` for a command, and `##[` anywhere in it.
private func withoutWorkflowCommands(_ line: String) -> String {
    var line = line
    if line.contains("##") { line = line.replacing("##[", with: "# #[") }
    let text = line.drop { $0.isWhitespace }
    return text.hasPrefix("::") ? line.prefix(line.count - text.count) + ": :" + text.dropFirst(2) : line
}
