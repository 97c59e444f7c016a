/// Markdown that grows up to a bound in bytes of UTF-8 (and so in characters of any kind) and never passes it.
struct BoundedMarkdown {
    /// GitHub takes comments of 65,536 characters; the rest is for what a bot may add.
    static let mostBytes = 60_000

    private(set) var text = MarkdownText()
    /// Bytes that are still free.
    private(set) var left: Int

    init(limit: Int = mostBytes) { left = limit }

    /// Adds the piece if there is room for the whole of it; says whether it did.
    @discardableResult
    mutating func add(_ piece: MarkdownText) -> Bool {
        guard piece.size <= left else { return false }
        left -= piece.size
        text += piece
        return true
    }

    /// Adds pieces as long as there is room within a share.
    ///
    /// - Parameters:
    ///   - share: at most so many bytes for all pieces.
    ///   - head: stands before them, `tail` after them; nothing is added when there is no room for both and one piece.
    /// - Returns: how many pieces were added.
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
