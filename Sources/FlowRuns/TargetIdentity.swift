/// The identity of a target's runs: service, organisation and sandbox. The service's address is normalized, so that
/// different spellings denote one sandbox. Ledgers and journals use the description as their key.
package struct TargetIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The service: `embedded`, or an address in normal form.
    package let service: String
    package let organization: String
    package let sandbox: String

    /// Creates an identity. The service is `embedded`, or an address in any spelling.
    package init(service: String, organization: String, sandbox: String) {
        self.service = normalAddress(service)
        self.organization = organization
        self.sandbox = sandbox
    }

    /// Parses a description; returns `nil` for any other text. A description from an earlier version, with the address
    /// as spelled in the manifest, gives the same identity as the normal form.
    package init?(_ description: String) {
        let parts = description.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts.contains("") else { return nil }
        self.init(service: parts[0], organization: parts[1], sandbox: parts[2])
    }

    /// The key of ledgers and journals: `https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod`
    package var description: String { "\(service) \(organization) \(sandbox)" }
}

/// Returns the normal form of `scheme://host:port/path` (RFC 3986, section 6.2): scheme and host in lower case, no
/// default port, no empty or dot segments, no trailing slash. All names of the loopback interface become `localhost`.
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
    // Skip the brackets of an IPv6 address, whose colons do not separate a port.
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

/// Writes percent-escapes in upper case, and decodes those of letters, digits, `-`, `.`, `_` and `~`.
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
