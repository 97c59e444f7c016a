import AsyncHTTPClient
import FlowService
import Foundation
import NIOSSL

/// Network settings from the environment: `SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
/// Lower-case names of the proxy variables take precedence.
struct NetworkEnvironment {
    /// TLS settings that always verify certificates: against those that the environment names, or else against
    /// the system's.
    let tls: TLSConfiguration
    private let variables: [String: String]
    private let exemptions: ProxyExemptions

    init(_ variables: [String: String]) throws(ConfigurationError) {
        self.variables = variables
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorities = try Self.authorities(variables) {
            tls.trustRoots = .certificates(authorities)
        }
        self.tls = tls
        exemptions = ProxyExemptions(Self.variable("NO_PROXY", of: variables)?.value ?? "")
    }

    /// Returns the proxy to use; `nil` for none. Loopback addresses never use a proxy.
    func proxy(for address: ServiceAddress) throws(ConfigurationError) -> HTTPClient.Configuration.Proxy? {
        let name = address.isEncrypted ? "HTTPS_PROXY" : "HTTP_PROXY"
        guard let (variable, value) = Self.variable(name, of: variables), !address.isLoopback,
            !exemptions.contains(address)
        else { return nil }
        guard let parts = URLComponents(string: value.contains("://") ? value : "http://" + value),
            parts.scheme?.lowercased() == "http", let host = parts.host, !host.isEmpty
        else { throw .invalidProxy(variable: variable) }
        let authorization: HTTPClient.Authorization? = parts.user.map {
            .basic(username: $0, password: parts.password ?? "")
        }
        return .server(
            host: host.trimmingCharacters(in: ["[", "]"]), port: parts.port ?? 80, authorization: authorization)
    }

    private static func variable(_ name: String, of variables: [String: String]) -> (name: String, value: String)? {
        for name in [name.lowercased(), name] {
            if let value = variables[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }
}

// MARK: Certificate authorities

extension NetworkEnvironment {
    /// Loads the certificate authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR`, the variables that OpenSSL, curl and Go
    /// use. If either is set, the system's authorities are not used.
    ///
    /// - Returns: the certificates; `nil` if neither variable is set.
    static func authorities(
        _ variables: [String: String]
    ) throws(ConfigurationError) -> [NIOSSLCertificate]? {
        var certificates: [NIOSSLCertificate]?
        if let path = variables["SSL_CERT_FILE"], !path.isEmpty {
            certificates = try inFile(path)
        }
        if let list = variables["SSL_CERT_DIR"], !list.isEmpty {
            certificates = try (certificates ?? []) + inFolders(list)
        }
        return certificates
    }

    private static func inFile(_ path: String) throws(ConfigurationError) -> [NIOSSLCertificate] {
        func unreadable(_ reason: String) -> ConfigurationError {
            .unreadableCertificates(variable: "SSL_CERT_FILE", path: path, reason: reason)
        }
        guard access(path, R_OK) == 0 else { throw unreadable(String(cString: strerror(errno))) }
        do { return try NIOSSLCertificate.fromPEMFile(path) } catch {
            throw unreadable("no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
        }
    }

    /// Reads the certificates of all files in these directories; files without certificates are ignored.
    ///
    /// - Parameter list: directories separated by colons.
    private static func inFolders(_ list: String) throws(ConfigurationError) -> [NIOSSLCertificate] {
        var certificates: [NIOSSLCertificate] = []
        var read: Set<String> = []
        var reason = "no file with a certificate in PEM form"
        for folder in list.split(separator: ":").map(String.init) {
            do {
                for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                    // Such directories contain each certificate twice: under its name and as a link named by its hash.
                    let file = URL(fileURLWithPath: "\(folder)/\(name)").resolvingSymlinksInPath().path
                    guard read.insert(file).inserted else { continue }
                    certificates += (try? NIOSSLCertificate.fromPEMFile(file)) ?? []
                }
            } catch { reason = "\(folder): \(error.localizedDescription)" }
        }
        guard !certificates.isEmpty else {
            throw .unreadableCertificates(variable: "SSL_CERT_DIR", path: list, reason: reason)
        }
        return certificates
    }
}

// MARK: Addresses and proxies

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

/// The hosts in `NO_PROXY`, parsed as curl and Go parse it: entries separated by commas or spaces, case-insensitive.
///
/// | entry | hosts |
/// | --- | --- |
/// | `*` | all |
/// | `corp.example`, `.corp.example`, `*.corp.example` | that name and all subdomains |
/// | `10.0.0.1`, `::1`, `[::1]` | that address |
/// | `10.0.0.0/8`, `fd00::/8` | addresses of that block |
///
/// A `:PORT` after a name, an IPv4 address or an address in brackets limits the entry to that port.
struct ProxyExemptions: Sendable {
    private enum Hosts {
        case all
        case named(String)
        case addresses(IPAddress, prefix: Int)
    }

    private struct Entry {
        let hosts: Hosts
        var port: Int?
    }

    private let entries: [Entry]

    init(_ list: String) {
        entries = list.lowercased().split { $0 == "," || $0.isWhitespace }.compactMap { Self.entry(String($0)) }
    }

    func contains(_ service: ServiceAddress) -> Bool {
        let name = service.host.hasSuffix(".") ? String(service.host.dropLast()) : service.host
        let address = IPAddress(name)
        return entries.contains { entry in
            if let port = entry.port, port != service.port { return false }
            return switch entry.hosts {
            case .all: true
            case .named(let domain): name == domain || name.hasSuffix("." + domain)
            case .addresses(let block, let prefix): address?.isIn(block, prefix: prefix) == true
            }
        }
    }

    /// - Returns: `nil` for an entry that names no host.
    private static func entry(_ text: String) -> Entry? {
        if text == "*" { return Entry(hosts: .all) }
        if let slash = text.firstIndex(of: "/") {
            guard let block = IPAddress(String(text[..<slash])), let prefix = Int(text[text.index(after: slash)...]),
                (0...block.bitCount).contains(prefix)
            else { return nil }
            return Entry(hosts: .addresses(block, prefix: prefix))
        }
        // An IPv6 address also contains colons.
        if let address = IPAddress(text) { return Entry(hosts: .addresses(address, prefix: address.bitCount)) }
        if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) {
            guard let hosts = entry(String(text[..<colon]))?.hosts else { return nil }
            return Entry(hosts: hosts, port: port)
        }
        var name = text.hasPrefix("*.") ? text.dropFirst(2) : text.drop { $0 == "." }
        if name.hasSuffix(".") { name = name.dropLast() }
        return name.isEmpty ? nil : Entry(hosts: .named(String(name)))
    }
}

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is normalised to IPv4.
private struct IPAddress {
    private let bytes: [UInt8]

    var bitCount: Int { bytes.count * 8 }

    /// - Parameter text: an address with or without brackets. A zone (`%eth0`) is ignored.
    init?(_ text: String) {
        var text = text[...]
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        let plain = String(text.prefix { $0 != "%" })
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, plain, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, plain, &six) == 1 {
            let all = withUnsafeBytes(of: six) { Array($0) }
            let isMapped = all.prefix(12) == [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
            bytes = isMapped ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    func isIn(_ block: IPAddress, prefix: Int) -> Bool {
        guard bytes.count == block.bytes.count else { return false }
        let (whole, rest) = prefix.quotientAndRemainder(dividingBy: 8)
        guard bytes.prefix(whole) == block.bytes.prefix(whole) else { return false }
        return rest == 0 || (bytes[whole] ^ block.bytes[whole]) >> UInt8(8 - rest) == 0
    }
}
