import AsyncHTTPClient
import FlowService
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// The reason why a request received no answer.
struct TransportError: Error, Sendable {
    let reason: String
    /// Whether the request may have reached the service. `false` only if no byte of its body was sent.
    let couldHaveArrived: Bool

    /// - Parameter address: The address of the service, for errors that do not name what was connected to.
    init(_ error: any Error, couldHaveArrived: Bool, address: String? = nil) {
        let reason = Self.describe(error)
        let isUnconnected = (error as? IOError).map {
            [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains($0.errnoCode)
        }
        if let address, isUnconnected ?? false {
            self.reason =
                "cannot connect to \(address): \(reason); check 'service' of the target, and the proxy if there is one"
        } else {
            self.reason = reason
        }
        self.couldHaveArrived = couldHaveArrived
    }

    /// Describes an error without any header value, because the text is shown, logged and stored.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let withheld as GuardedBody.WithholdReason:
            withheld == .late ? "its deadline for sending has passed" : "cancelled"
        case is CancellationError: "cancelled"
        case let error as HTTPClientError: describe(error)
        case let error as NIOConnectionError: describe(error)
        case let error as NIOSSLError: describe(error)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "TLS handshake failed: the server's certificate is for another host name"
        case let error as NIOSSLExtraError: "TLS handshake failed: \(error)"
        case let error as IOError: describe(error)
        case let error as SocketAddressError.UnknownHost: error.errorDescription
        default: "\(type(of: error)): \(error)"
        }
    }

    private static func describe(_ error: HTTPClientError) -> String {
        switch error {
        case .deadlineExceeded: "timed out waiting for an answer"
        case .connectTimeout, .getConnectionFromPoolTimeout: "timed out connecting"
        case .remoteConnectionClosed: "the connection was closed before the answer was complete"
        // Some full descriptions contain header values; the short description never does.
        default: error.shortDescription
        }
    }

    /// Describes an error in common words. The library's own texts name system calls.
    private static func describe(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "connection reset"
        case EHOSTUNREACH, ENETUNREACH: "network is unreachable"
        case ETIMEDOUT: "timed out waiting for an answer"
        default: error.description
        }
    }

    private static func describe(_ error: NIOConnectionError) -> String {
        let peer = "\(error.host):\(error.port)"
        if let cause = error.connectionErrors.first { return "cannot connect to \(peer): \(describe(cause.error))" }
        guard let cause = error.dnsAError ?? error.dnsAAAAError else { return "cannot connect to \(peer)" }
        return "cannot find the host \(error.host): check its spelling, and DNS (\(describe(cause)))"
    }

    private static func describe(_ error: NIOSSLError) -> String {
        guard case .handshakeFailed(let cause) = error else {
            return "the TLS connection was not closed as it should be"
        }
        // error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at FILE:LINE
        let text = "\(cause)"
        guard let marker = text.firstRange(of: "OPENSSL_internal:") else {
            return "TLS handshake failed: the server, or a proxy or firewall before it, closed the connection"
        }
        let reason = text[marker.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let failure = "TLS handshake failed (\(reason))"
        return switch reason {
        case "CERTIFICATE_VERIFY_FAILED":
            "\(failure): the server's certificate has expired, or comes from an authority that this machine does not "
                + "trust: name your company's in SSL_CERT_FILE or SSL_CERT_DIR, or install the package ca-certificates"
        case "WRONG_VERSION_NUMBER": "\(failure): the server does not speak TLS on this port"
        default: failure
        }
    }
}
