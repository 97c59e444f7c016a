import FlowService
import Foundation

/// The base URL of a service: scheme, host, port and a path prefix.
struct ServiceAddress: Hashable, Sendable {
    /// The URL without trailing slashes.
    let text: String
    let isEncrypted: Bool
    /// The host in lower case; an IPv6 address has no brackets.
    let host: String
    let port: Int

    init(_ address: String, allowsInsecureHTTP: Bool) throws(ConfigurationError) {
        func invalid(_ reason: String) -> ConfigurationError {
            // The text before an @ may contain a password.
            let shown = address.lastIndex(of: "@").map { "…" + address[$0...] } ?? address
            return .invalidAddress(shown, reason: reason)
        }
        guard address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), let parts = URLComponents(string: address),
            let scheme = parts.scheme?.lowercased(), let host = parts.host?.lowercased(), !host.isEmpty
        else { throw invalid("it is not a URL with a host") }
        guard scheme == "https" || scheme == "http" else { throw invalid("its scheme is neither https nor http") }
        guard parts.user == nil, parts.password == nil else { throw invalid("it contains a user name or a password") }
        guard parts.query == nil, parts.fragment == nil else { throw invalid("it has a query or a fragment") }
        guard (1...65_535).contains(parts.port ?? 443) else { throw invalid("the port is not between 1 and 65,535") }

        text = String(address.reversed().drop { $0 == "/" }.reversed())
        isEncrypted = scheme == "https"
        self.host = host.trimmingCharacters(in: ["[", "]"])
        port = parts.port ?? (isEncrypted ? 443 : 80)
        guard isEncrypted || isLoopback || allowsInsecureHTTP else { throw .insecureAddress(address) }
    }

    /// Whether the host is a loopback address.
    var isLoopback: Bool {
        let bytes = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return host == "localhost" || host == "::1" || (bytes.count == 4 && bytes[0] == 127 && !bytes.contains(nil))
    }
}
