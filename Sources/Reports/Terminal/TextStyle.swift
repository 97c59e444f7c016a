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
        var shortened = ""
        for word in split(separator: " ") {
            let longer = shortened.isEmpty ? String(word) : "\(shortened) \(word)"
            guard longer.columns + 1 + style.ellipsis.columns <= width else { break }
            shortened = longer
        }
        while let last = shortened.last, ",:;".contains(last) { shortened.removeLast() }
        return shortened.isEmpty ? cutAtEnd(to: width, style) : "\(shortened) \(style.ellipsis)"
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

extension Unicode.Scalar {
    /// The width in terminal columns: 0 for combining marks, 2 for wide East Asian characters and emoji.
    var columns: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
