/// Why a client cannot be made from its settings. Nothing was sent.
package enum ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not an `https` address (or `http`, where that is allowed) of a host and a path alone.
    case invalidAddress(String, reason: String)
    /// Plain `http` to another machine would show the token to every machine on the way.
    case insecureAddress(String)
    /// A value that no HTTP header can hold; `name` says which.
    case invalidValue(name: String)
    /// `SSL_CERT_FILE` or `SSL_CERT_DIR` names no readable PEM file with certificates.
    case unreadableCertificates(variable: String, path: String, reason: String)
    /// The variable is not the address of an HTTP proxy; its value may hold a password and is not shown.
    case invalidProxy(variable: String)

    /// What is wrong and what to write instead, without a secret.
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
