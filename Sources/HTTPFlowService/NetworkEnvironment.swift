import AsyncHTTPClient
import FlowService
import Foundation
import NIOSSL

/// Network settings for the connection to one service.
struct Route {
    let address: ServiceAddress
    let tls: TLSConfiguration
    let proxy: HTTPClient.Configuration.Proxy?
}

/// Network settings from the environment: `SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
/// Lower-case names of the proxy variables take precedence.
struct NetworkEnvironment {
    /// TLS settings that always verify certificates: against ``TrustedAuthorities``, or else against the system's
    /// authorities.
    private let tls: TLSConfiguration
    private let variables: [String: String]
    private let exemptions: ProxyExemptions

    init(_ variables: [String: String]) throws(ConfigurationError) {
        self.variables = variables
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorities = try TrustedAuthorities.fromEnvironment(variables) {
            tls.trustRoots = .certificates(authorities)
        }
        self.tls = tls
        exemptions = ProxyExemptions(Self.variable("NO_PROXY", of: variables)?.value ?? "")
    }

    func route(to address: ServiceAddress) throws(ConfigurationError) -> Route {
        Route(address: address, tls: tls, proxy: try proxy(for: address))
    }

    /// Returns the proxy to use; `nil` for none. Loopback addresses never use a proxy.
    private func proxy(for address: ServiceAddress) throws(ConfigurationError) -> HTTPClient.Configuration.Proxy? {
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
