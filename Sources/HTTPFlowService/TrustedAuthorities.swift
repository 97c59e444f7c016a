import FlowService
import Foundation
import NIOSSL

/// Loads the certificate authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR`, the variables that OpenSSL, curl and Go
/// use. If either is set, the system's authorities are not used.
enum TrustedAuthorities {
    /// - Returns: the certificates; `nil` if neither variable is set.
    static func fromEnvironment(
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
