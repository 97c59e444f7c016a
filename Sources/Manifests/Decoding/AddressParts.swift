/// The parts of `scheme://user@host:port/path`.
struct AddressParts {
    let scheme: Substring
    let user: Substring?
    /// The host and port; empty if absent. Several hosts, as libpq accepts them, form one text.
    let host: Substring
    /// The path without its leading slash, including the query.
    let path: Substring

    /// Splits an address; returns `nil` if the text is not an address or contains characters that are invalid in one.
    init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }),
            let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://")
        else { return nil }
        scheme = text[..<colon]
        let rest = text[colon...].dropFirst(3)
        let authority = rest.prefix { !"/?#".contains($0) }
        path = rest[authority.endIndex...].drop { $0 == "/" }
        let at = authority.lastIndex(of: "@")
        user = at.map { authority[..<$0] }
        host = at.map { authority[authority.index(after: $0)...] } ?? authority
        guard host.split(separator: ",").allSatisfy(Self.hasValidPort) else { return nil }
    }

    private static func hasValidPort(_ host: Substring) -> Bool {
        // An IPv6 address, in brackets, contains colons.
        let tail = host.split(separator: "]", omittingEmptySubsequences: false).last ?? host
        guard let colon = tail.firstIndex(of: ":") else { return true }
        return Int(tail[tail.index(after: colon)...]).map { (1...65_535).contains($0) } ?? false
    }
}
