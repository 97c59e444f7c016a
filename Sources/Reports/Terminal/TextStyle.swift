import Manifests

/// What the place that a text is printed on can show.
package struct TextStyle: Hashable, Sendable {
    /// Whether to use the terminal's colours.
    package var color: Bool
    /// How many columns a line may take; `nil` where lines may be of any length (a file, a pipe).
    package var width: Int?
    /// Whether characters beyond ASCII can be shown.
    package var unicode: Bool

    package init(color: Bool = false, width: Int? = nil, unicode: Bool = true) {
        self.color = color
        self.width = width.map { max(40, $0) }
        self.unicode = unicode
    }

    package enum Tone: String, Sendable {
        case good = "32"
        case changed = "33"
        case active = "36"
        case error = "1;31"
        case warning = "1;33"
        case help = "1;36"
        case margin = "1;34"
        case strong = "1"
        case quiet = "2"
        case plain = ""
    }

    /// Where the style has a width, less than this many columns in all.
    func isNarrower(than columns: Int) -> Bool { (width ?? .max) < columns }

    var ellipsis: String { unicode ? "…" : "..." }

    /// Before what a reviewer should check.
    var warningSign: String { unicode ? "⚠" : "(!)" }
}

extension String {
    /// How many columns of a terminal it takes.
    var columns: Int {
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// At most `width` columns, its middle left out: the ends of names and paths tell them apart.
    func cutInMiddle(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        let room = max(2, width - style.ellipsis.columns)
        let tail = room / 2
        return prefix(columns: room - tail) + style.ellipsis
            + String(String(reversed()).prefix(columns: tail).reversed())
    }

    /// At most `width` columns.
    func cutAtEnd(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        return prefix(columns: max(1, width - style.ellipsis.columns)) + style.ellipsis
    }

    /// With spaces behind it, up to `width` columns.
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    /// Lines of at most `width` columns, broken between words; a longer word has a line of its own, cut.
    func wrapped(to width: Int, _ style: TextStyle) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ") {
            if !line.isEmpty, line.columns + 1 + word.reduce(0, { $0 + $1.columns }) > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + String(word).cutInMiddle(to: width, style)
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private func prefix(columns width: Int) -> String {
        var taken = 0
        return String(
            prefix {
                taken += $0.columns
                return taken <= width
            })
    }
}

extension Character {
    fileprivate var columns: Int { unicodeScalars.reduce(0) { max($0, $1.columns) } }
}
