import FlowRuns
import Text

/// Text from manifests and the service as it may stand in Markdown: it can format nothing, link nothing, and call
/// nobody.
enum Markdown {
    /// Running text, never at the beginning of a line: every character that Markdown, HTML or GitHub gives a meaning
    /// there is taken its meaning.
    static func escaped(_ text: String) -> String {
        printable(text).unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            // A mention or a reference is read from the finished page, where escapes are gone: so it is broken up.
            case "@": escaped += "@\u{200B}"
            case "#": escaped += "\\#\u{200B}"
            case "\\", "`", "*", "_", "[", "]", "|", "~", "$":
                escaped += "\\\(scalar)"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        .replacing("://", with: ":\u{200B}//")
    }

    /// Code within a line, also in a cell of a table.
    static func code(_ text: String) -> String {
        let shown = printable(text)
        guard !shown.isEmpty else { return "" }
        let fence = String(repeating: "`", count: longestRun(of: "`", in: shown) + 1)
        let pad = fence.count > 1 ? " " : ""
        // A table's cells are cut before code is found in them, so a bar needs its backslash even there.
        return fence + pad + shown.replacing("|", with: "\\|") + pad + fence
    }

    /// A block of code; whatever is in it cannot end it.
    static func block(_ text: String, language: String) -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
        return "\(fence)\(language)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)\n"
    }

    static func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }

    static func head(_ titles: [String], numbersFrom firstNumber: Int) -> String {
        row(titles) + row(titles.indices.map { $0 < firstNumber ? "---" : "---:" })
    }

    private static func longestRun(of wanted: Character, in text: String) -> Int {
        var (run, longest) = (0, 0)
        for character in text {
            run = character == wanted ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}

/// A text that grows up to a bound in bytes of UTF-8 (and so in characters of any kind) and never passes it.
struct BoundedText {
    private(set) var text = ""
    private var room: Int

    init(limit: Int) { room = limit }

    var left: Int { room }

    /// Adds the piece if there is room for the whole of it; says whether it did.
    @discardableResult
    mutating func add(_ piece: String) -> Bool {
        guard piece.utf8.count <= room else { return false }
        room -= piece.utf8.count
        text += piece
        return true
    }

    /// Adds pieces as long as there is room within a share.
    ///
    /// - Parameters:
    ///   - share: at most so many bytes for all pieces.
    ///   - frame: stands around them; nothing is added when there is not room for it and one piece.
    /// - Returns: how many pieces were added.
    mutating func add(
        _ pieces: some Sequence<String>, share: Int = .max, head: String = "", tail: String = ""
    ) -> Int {
        var rest = min(share, room) - head.utf8.count - tail.utf8.count
        var body = ""
        var count = 0
        for piece in pieces {
            guard piece.utf8.count <= rest else { break }
            rest -= piece.utf8.count
            body += piece
            count += 1
        }
        if count > 0 { add(head + body + tail) }
        return count
    }
}
