/// A validated commit ID: 40 lowercase hexadecimal digits, or 64 in a SHA-256 repository.
///
/// The validation matters: a push with an empty ID would delete the ref.
struct CommitID: Hashable, Sendable, CustomStringConvertible {
    let description: String

    /// Returns `nil` if the text is not a full commit ID.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 40 || text.utf8.count == 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = String(text)
    }
}
