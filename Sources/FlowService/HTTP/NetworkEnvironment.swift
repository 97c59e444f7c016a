import AsyncHTTPClient
import Foundation
import NIOSSL

/// The way to one service.
struct Route {
    let address: ServiceAddress
    let tls: TLSConfiguration
    let proxy: HTTPClient.Configuration.Proxy?
}

/// What the environment says of the way to the service: `SSL_CERT_FILE`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, the
/// last three also in lower case, which wins.
struct NetworkEnvironment {
    /// Certificates are always verified: against the authorities of `SSL_CERT_FILE` where it is set, which replace the
    /// system's as with OpenSSL, else against the system's.
    private let tls: TLSConfiguration
    private let variables: [String: String]

    init(_ variables: [String: String]) throws(ConfigurationError) {
        self.variables = variables
        var tls = TLSConfiguration.makeClientConfiguration()
        if let path = variables["SSL_CERT_FILE"], !path.isEmpty {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            } catch {
                throw .unreadableCertificates(path: path, reason: "\(error)")
            }
        }
        self.tls = tls
    }

    func route(to address: ServiceAddress) throws(ConfigurationError) -> Route {
        Route(address: address, tls: tls, proxy: try proxy(for: address))
    }

    /// `nil` for none. This machine's own addresses never have one.
    private func proxy(for address: ServiceAddress) throws(ConfigurationError) -> HTTPClient.Configuration.Proxy? {
        let name = address.isEncrypted ? "HTTPS_PROXY" : "HTTP_PROXY"
        guard let (variable, value) = variable(name), !address.isLoopback, !isExempt(address) else { return nil }
        guard let parts = URLComponents(string: value.contains("://") ? value : "http://" + value),
            parts.scheme?.lowercased() == "http", let host = parts.host, !host.isEmpty
        else { throw .invalidProxy(variable: variable) }
        let authorization: HTTPClient.Authorization? = parts.user.map {
            .basic(username: $0, password: parts.password ?? "")
        }
        return .server(
            host: host.trimmingCharacters(in: ["[", "]"]), port: parts.port ?? 80, authorization: authorization)
    }

    /// `NO_PROXY`: names that cover the names below them too, each with or without a port and a leading dot, separated
    /// by commas; `*` for all.
    private func isExempt(_ address: ServiceAddress) -> Bool {
        let entries = variable("NO_PROXY")?.value.split(whereSeparator: { $0 == "," || $0 == " " }) ?? []
        return entries.contains { entry in
            var name = entry.lowercased()
            if name == "*" || name == address.host { return true }
            if let colon = name.lastIndex(of: ":"), let port = Int(name[name.index(after: colon)...]) {
                guard port == address.port else { return false }
                name = String(name[..<colon])
            }
            name = String(name.drop { $0 == "." }).trimmingCharacters(in: ["[", "]"])
            return !name.isEmpty && (address.host == name || address.host.hasSuffix("." + name))
        }
    }

    private func variable(_ name: String) -> (name: String, value: String)? {
        for name in [name.lowercased(), name] {
            if let value = variables[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }
}
