import Manifests

/// The capabilities of the terminal, file or pipe that text is printed on.
package struct TextStyle: Hashable, Sendable {
    /// Whether to print colours.
    package var color: Bool
    /// The maximum width of a line in columns; `nil` if the width is unlimited, as in a file or a pipe.
    package var width: Int?
    /// Whether to print characters beyond ASCII.
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

    /// Checks whether the width is limited to fewer columns.
    func isNarrower(than columns: Int) -> Bool { (width ?? .max) < columns }

    var ellipsis: String { unicode ? "…" : "..." }

    /// The sign before a point that a reviewer should check.
    var warningSign: String { unicode ? "⚠" : "(!)" }
}

extension String {
    /// The width in terminal columns.
    var columns: Int {
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// Truncates to `width` columns in the middle, because names and paths differ at their ends.
    func cutInMiddle(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        let room = max(2, width - style.ellipsis.columns)
        let tail = room / 2
        return prefix(columns: room - tail) + style.ellipsis
            + String(String(reversed()).prefix(columns: tail).reversed())
    }

    /// Truncates to `width` columns at the end.
    func cutAtEnd(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        return prefix(columns: max(1, width - style.ellipsis.columns)) + style.ellipsis
    }

    /// Truncates to `width` columns after a word; only a first word that is too long is truncated within.
    func cutBetweenWords(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        var kept = ""
        for word in split(separator: " ") {
            let longer = kept.isEmpty ? String(word) : "\(kept) \(word)"
            guard longer.columns + 1 + style.ellipsis.columns <= width else { break }
            kept = longer
        }
        while let last = kept.last, ",:;".contains(last) { kept.removeLast() }
        return kept.isEmpty ? cutAtEnd(to: width, style) : "\(kept) \(style.ellipsis)"
    }

    /// Truncates a name to `width` columns by leaving out whole parts between hyphens and the like, the first and the
    /// last part last of all.
    func cutBetweenParts(to width: Int, _ style: TextStyle) -> String {
        guard columns > width else { return self }
        let ends = indices.filter { "-_. ".contains(self[$0]) }
        for end in ends.reversed() {
            for start in ends where start >= end {
                let text = self[...end] + style.ellipsis + self[start...]
                if String(text).columns <= width { return String(text) }
            }
        }
        return cutInMiddle(to: width, style)
    }

    /// Appends spaces up to `width` columns.
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

    /// Wraps to lines of at most `width` columns between words; a longer word is truncated.
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
        var columns = 0
        return String(
            prefix {
                columns += $0.columns
                return columns <= width
            })
    }
}

extension Character {
    fileprivate var columns: Int { unicodeScalars.reduce(0) { max($0, $1.columns) } }
}
