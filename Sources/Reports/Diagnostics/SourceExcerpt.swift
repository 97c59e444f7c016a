import FlowRuns
import Manifests
import Text

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
