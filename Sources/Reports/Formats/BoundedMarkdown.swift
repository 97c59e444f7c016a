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
