/// The id of a commit, checked: 40 hexadecimal digits, or 64 where the repository uses SHA-256. An empty one, put into a
/// push, would delete the ref.
struct CommitID: Hashable, Sendable, CustomStringConvertible {
    let description: String

    /// `nil` for anything else.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 40 || text.utf8.count == 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = String(text)
    }
}
