import YAML

extension ManifestDecoder {
    /// `embedded`, or an http or https address without credentials.
    mutating func service(_ field: Field?) -> Target.Service? {
        guard let field, var address = text(field) else { return nil }
        if address == "embedded" { return .embedded }
        guard !refusesSecret(field, address) else { return nil }
        while address.hasSuffix("/") { address.removeLast() }
        if let url = AddressParts(address), ["http", "https"].contains(url.scheme), !url.host.isEmpty,
            url.user == nil, !address.contains("?"), !address.contains("#")
        {
            return .address(address)
        }
        let hint = "write 'embedded', or an address such as https://platform.adobe.io/data/foundation/flowservice"
        let isNearlyEmbedded = nearest(to: address, among: ["embedded"]) != nil
        add(
            .badServiceAddress, at: field.value, "invalid service address \(quoted(address))",
            suggestion: isNearlyEmbedded ? "did you mean 'embedded'?" : hint)
        return nil
    }

    /// `sqlite:PATH`, or `postgres://…` without a password: no ledger is kept there yet, but the address is understood.
    mutating func ledger(_ field: Field?) -> Target.LedgerAddress? {
        guard let field, let address = text(field) else { return nil }
        if case .sqlite(let path) = Target.LedgerAddress(address) { return sqlite(field, path) }
        guard !refusesSecret(field, address) else { return nil }
        if let url = AddressParts(address), ["postgres", "postgresql"].contains(url.scheme), !url.path.isEmpty {
            return .postgres(address)
        }
        add(
            .badLedgerAddress, at: field.value, "invalid ledger address \(quoted(address))",
            suggestion: "write sqlite:PATH, such as sqlite:.sluice/prod.sqlite")
        return nil
    }

    /// SQLite gives `:memory:` and `file:` meanings of their own, and a ledger must outlive its process.
    private mutating func sqlite(_ field: Field, _ path: String) -> Target.LedgerAddress? {
        guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:"), !path.hasSuffix("/") else {
            add(
                .badLedgerAddress, at: field.value, "\(quoted(field.value.text)) does not name a file",
                suggestion: "write a path, such as sqlite:.sluice/prod.sqlite")
            return nil
        }
        let isRelative = !path.hasPrefix("/") && file.contains("/")
        guard isRelative, let slash = file.lastIndex(of: "/") else { return .sqlite(path: path) }
        return .sqlite(path: "\(file[...slash])\(path.hasPrefix("./") ? path.dropFirst(2) : path[...])")
    }

    private mutating func refusesSecret(_ field: Field, _ address: String) -> Bool {
        guard withoutSecrets(address) != address else { return false }
        add(
            .secretInManifest, at: field.value, "'\(field.key)' contains a password",
            suggestion: "remove it: secrets come from the environment")
        return true
    }
}

/// The parts of `scheme://user@host:port/path`.
private struct AddressParts {
    let scheme: Substring
    let user: Substring?
    /// Empty where the address leaves it out. Several hosts, as libpq takes them, are one text.
    let host: Substring
    /// Without its first slash, with its query.
    let path: Substring

    /// `nil` when the text is not an address, or has characters that an address cannot have.
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
        guard host.split(separator: ",").allSatisfy(Self.hasGoodPort) else { return nil }
    }

    private static func hasGoodPort(_ host: Substring) -> Bool {
        // An IPv6 address, in brackets, has colons of its own.
        let tail = host.split(separator: "]", omittingEmptySubsequences: false).last ?? host
        guard let colon = tail.firstIndex(of: ":") else { return true }
        return Int(tail[tail.index(after: colon)...]).map { (1...65_535).contains($0) } ?? false
    }
}
