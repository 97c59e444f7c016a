import Foundation
import Ledger

/// The server address from the manifest, with the connection parameters that Sluice adds.
struct ServerAddress: Sendable {
    /// The address in the manifest: `postgres://user@host:5432/db`, or `postgres:` to use libpq's environment.
    let text: String
    private let parameters: [(key: String, value: String)]

    /// Default connection timeout, in seconds.
    private static let connectTimeout = 5

    /// The `target_session_attrs` value that selects a server that accepts writes. `primary` also accepts sessions that
    /// are read-only by default, since each writing transaction is `READ WRITE`. libpq before version 14 supports only
    /// `read-write`.
    private static let primary: String = {
        do throws(LedgerError) {
            return try LibPQ.loaded().libraryVersion() >= 140_000 ? "primary" : "read-write"
        } catch {
            return "read-write"
        }
    }()

    /// - Parameters:
    ///   - isForWriting: whether to reject standbys, also among several hosts.
    ///   - environment: libpq's environment, whose settings are not overridden.
    init(_ text: String, isForWriting: Bool, environment: [String: String]) {
        self.text = text
        var parameters: [(String, String)] = []
        // A service file can contain any setting, so add none.
        if environment["PGSERVICE"] == nil, !text.contains("service=") {
            if environment["PGCONNECT_TIMEOUT"] == nil {
                parameters.append(("connect_timeout", String(Self.connectTimeout)))
            }
            if isForWriting, environment["PGTARGETSESSIONATTRS"] == nil {
                parameters.append(("target_session_attrs", Self.primary))
            }
        }
        parameters.append(("fallback_application_name", "sluice"))
        // Later parameters win: the address overrides those above, and `client_encoding` overrides the address.
        if text.contains("//") { parameters.append(("dbname", text)) }
        parameters.append(("client_encoding", "UTF8"))
        self.parameters = parameters
    }

    /// Calls `body` with the keys and the values, each as a null-terminated array, as libpq requires.
    func withParameters<Value>(_ body: (LibPQ.Texts, LibPQ.Texts) -> Value) -> Value {
        let keys = parameters.map { strdup($0.key) }
        let values = parameters.map { strdup($0.value) }
        defer { for text in keys + values { free(text) } }
        let keyPointers: [LibPQ.Text?] = keys.map { UnsafePointer($0) } + [nil]
        let valuePointers: [LibPQ.Text?] = values.map { UnsafePointer($0) } + [nil]
        return keyPointers.withUnsafeBufferPointer { keys in
            valuePointers.withUnsafeBufferPointer { values in
                // Both arrays contain at least the null terminator.
                body(keys.baseAddress.unsafelyUnwrapped, values.baseAddress.unsafelyUnwrapped)
            }
        }
    }
}
