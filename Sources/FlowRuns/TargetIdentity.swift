/// What tells one target's runs from another's: service, organisation and sandbox. The service's address is in normal
/// form, so that no other spelling makes one sandbox look like two. Ledgers and journals key by the description.
package struct TargetIdentity: Hashable, Sendable, CustomStringConvertible {
    /// `embedded`, or an address in normal form.
    package let service: String
    package let organization: String
    package let sandbox: String

    /// - Parameter service: `embedded`, or an address in any spelling.
    package init(service: String, organization: String, sandbox: String) {
        self.service = normalAddress(service)
        self.organization = organization
        self.sandbox = sandbox
    }

    /// Reads a description. One that an earlier version wrote, with the address as the manifest spelled it, gives the
    /// same identity as the normal form. `nil` for any other text.
    package init?(_ description: String) {
        let parts = description.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts.contains("") else { return nil }
        self.init(service: parts[0], organization: parts[1], sandbox: parts[2])
    }

    /// `https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod`
    package var description: String { "\(service) \(organization) \(sandbox)" }
}

/// The normal form of `scheme://host:port/path` (RFC 3986, section 6.2): scheme and host in lower case, no default port,
/// no empty or dot segments, no slash at the end. The names of this machine's loopback interface are one.
private func normalAddress(_ address: String) -> String {
    guard let colon = address.firstIndex(of: ":"), address[colon...].hasPrefix("://") else { return address }
    let scheme = address[..<colon].lowercased()
    let rest = address[colon...].dropFirst(3)
    let authority = rest.prefix { $0 != "/" }
    let segments = rest[authority.endIndex...].split(separator: "/").reduce(into: [String]()) { segments, segment in
        switch segment {
        case ".": break
        case "..": _ = segments.popLast()
        default: segments.append(normalEscapes(segment))
        }
    }
    return "\(scheme)://" + ([normalAuthority(authority, scheme: scheme)] + segments).joined(separator: "/")
}

private func normalAuthority(_ authority: Substring, scheme: String) -> String {
    let text = authority.lowercased()
    // The brackets of an IPv6 address keep its colons from being taken for the port's.
    let hostEnd =
        text.hasPrefix("[")
        ? text.firstIndex(of: "]").map(text.index(after:)) ?? text.endIndex : text.firstIndex(of: ":") ?? text.endIndex
    let host = text[..<hostEnd]
    let port = Int(text[hostEnd...].dropFirst())
    let isDefault = port == nil || port == ["http": 80, "https": 443][scheme]
    return normalHost(host) + (isDefault ? "" : ":\(port ?? 0)")
}

private func normalHost(_ host: Substring) -> String {
    if host.hasPrefix("[") {
        let groups = host.dropFirst().dropLast().split(separator: ":")
        let isLoopback = groups.last.flatMap { Int($0) } == 1 && groups.dropLast().allSatisfy { Int($0) == 0 }
        return isLoopback ? "localhost" : String(host)
    }
    let name = host.hasSuffix(".") ? host.dropLast() : host
    return name == "127.0.0.1" ? "localhost" : String(name)
}

/// Escapes in upper case; letters, digits, `-`, `.`, `_` and `~` without one.
private func normalEscapes(_ segment: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = segment.utf8[...]
    while let byte = rest.popFirst() {
        let digits = String(Substring(rest.prefix(2)))
        guard byte == UInt8(ascii: "%"), digits.count == 2, let escaped = UInt8(digits, radix: 16) else {
            bytes.append(byte)
            continue
        }
        rest.removeFirst(2)
        let isPlain = UInt8(ascii: "a")...UInt8(ascii: "z") ~= escaped | 0x20 || "0123456789-._~".utf8.contains(escaped)
        bytes += isPlain ? [escaped] : Array("%\(digits.uppercased())".utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
}
