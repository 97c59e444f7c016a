import FlowService

/// An error in the settings of a client. Nothing was sent.
package enum ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is not `https` (or `http`, where allowed) with only a host and a path.
    case invalidAddress(String, reason: String)
    /// Plain `http` to another machine would expose the token on the network.
    case insecureAddress(String)
    /// The value named `name` is not a valid HTTP header value.
    case invalidValue(name: String)
    /// `SSL_CERT_FILE` or `SSL_CERT_DIR` does not name a readable PEM file with certificates.
    case unreadableCertificates(variable: String, path: String, reason: String)
    /// The variable is not the address of an HTTP proxy. Its value may contain a password and is not shown.
    case invalidProxy(variable: String)

    /// The problem and its correction, without secrets.
    package var description: String {
        switch self {
        case .invalidAddress(let address, let reason): "the address '\(address)' cannot be used: \(reason)"
        case .insecureAddress(let address):
            "the address '\(address)' is plain http to another machine: use https, or --insecure-http"
        case .invalidValue(let name): "\(name) is empty or has characters that a header cannot hold"
        case .unreadableCertificates(let variable, let path, let reason):
            "cannot read the certificates of \(variable)=\(path): \(reason)"
        case .invalidProxy(let variable): "\(variable) is not the address of an HTTP proxy: write http://host:port"
        }
    }
}
