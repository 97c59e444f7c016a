import Foundation
import Ledger

/// Where the server is, as a manifest writes it, with what Sluice adds.
struct ServerAddress: Sendable {
    /// `postgres://user@host:5432/db`, or `postgres:` for what libpq's environment says.
    let text: String
    private let parameters: [(key: String, value: String)]

    /// How long a connection may take to be made, in seconds, where nobody says.
    private static let connectTimeout = 5

    /// Selects a server that accepts writes. `primary` also accepts sessions that are read-only by default, since each
    /// writing transaction is `READ WRITE`; libpq before version 14 only knows `read-write`.
    private static let primary: String = {
        do throws(LedgerError) {
            return try LibPQ.loaded().libraryVersion() >= 140_000 ? "primary" : "read-write"
        } catch {
            return "read-write"
        }
    }()

    /// - Parameters:
    ///   - isForWriting: refuses a standby, where several hosts are named too.
    ///   - environment: of libpq; what it sets is left alone.
    init(_ text: String, isForWriting: Bool, environment: [String: String]) {
        self.text = text
        var parameters: [(String, String)] = []
        // A service file may set anything.
        if environment["PGSERVICE"] == nil, !text.contains("service=") {
            if environment["PGCONNECT_TIMEOUT"] == nil {
                parameters.append(("connect_timeout", String(Self.connectTimeout)))
            }
            if isForWriting, environment["PGTARGETSESSIONATTRS"] == nil {
                parameters.append(("target_session_attrs", Self.primary))
            }
        }
        parameters.append(("fallback_application_name", "sluice"))
        // What stands later wins: the address over these, and the encoding over the address.
        if text.contains("//") { parameters.append(("dbname", text)) }
        parameters.append(("client_encoding", "UTF8"))
        self.parameters = parameters
    }

    /// As libpq takes them: two lists of texts, each with a null pointer at its end.
    func withParameters<Value>(_ body: (LibPQ.Texts, LibPQ.Texts) -> Value) -> Value {
        let keys = parameters.map { strdup($0.key) }
        let values = parameters.map { strdup($0.value) }
        defer { for text in keys + values { free(text) } }
        let keyPointers: [LibPQ.Text?] = keys.map { UnsafePointer($0) } + [nil]
        let valuePointers: [LibPQ.Text?] = values.map { UnsafePointer($0) } + [nil]
        return keyPointers.withUnsafeBufferPointer { keys in
            valuePointers.withUnsafeBufferPointer { values in
                // Neither is empty.
                body(keys.baseAddress.unsafelyUnwrapped, values.baseAddress.unsafelyUnwrapped)
            }
        }
    }
}
