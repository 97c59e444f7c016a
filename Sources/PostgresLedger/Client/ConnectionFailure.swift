import Foundation

/// Why a connection could not be made, over all hosts of the address.
///
/// A server writes its messages in its own language, so its SQLSTATE decides. libpq translates its messages to the locale
/// of the process, which is never set, so they are always in English.
struct ConnectionFailure: Hashable, Sendable {
    /// On one line.
    let text: String
    /// The SQLSTATE of each server that refused, in the order in which the hosts were tried.
    let sqlStates: [String]
    /// The server asks for a password, and libpq has none.
    let needsPassword: Bool

    /// - Parameter text: libpq's message, which is of several lines. Only a verbose one contains SQLSTATEs:
    ///   `…: FATAL:  28P01: Passwort-Authentifizierung …`.
    init(_ text: String, needsPassword: Bool = false) {
        // The place in the server's source code.
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        var parts = lines.joined(separator: " ").components(separatedBy: ":  ")
        var sqlStates: [String] = []
        for index in parts.indices.dropFirst() {
            let word = parts[index].prefix { $0 != ":" }
            guard word.utf8.count == 5, word.allSatisfy({ $0.isNumber || $0.isUppercase }) else { continue }
            sqlStates.append(String(word))
            parts[index].removeFirst(word.count + 1)
        }
        self.sqlStates = sqlStates
        self.needsPassword = needsPassword
        self.text = oneLine(parts.joined(separator: ": "))
    }

    /// Whether the same attempt may succeed soon. An unclassified failure counts as lasting: it has occurred twice.
    var isTransient: Bool {
        if needsPassword { return false }
        guard sqlStates.isEmpty else { return sqlStates.allSatisfy(Self.isTransient) }
        return Self.transientReasons.contains(where: text.contains)
    }

    /// Whether the server or the role has no connection left.
    var isConnectionLimit: Bool {
        // PgBouncer uses one SQLSTATE for most errors, and does not translate its messages.
        sqlStates.contains("53300") || (sqlStates.contains("08P01") && text.contains("no more connections"))
    }

    /// Connection failures, missing resources, and a server that starts or shuts down.
    private static func isTransient(_ sqlState: String) -> Bool {
        ["08", "53", "57"].contains(sqlState.prefix(2)) && sqlState != "57P04"
    }

    /// The system's messages for an unreachable host, as this process spells them, and libpq's for a server that is too
    /// slow or closes the connection.
    private static let transientReasons: [String] = {
        let errors = [
            ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN,
            EADDRNOTAVAIL, EAGAIN,
        ]
        return errors.map { String(cString: strerror($0)) } + [String(cString: gai_strerror(EAI_AGAIN))]
            // A Unix socket that is missing appears when the server starts.
            + ["timeout expired", "server closed the connection unexpectedly", "Is the server running"]
    }()

    /// A hint in brackets, or an empty text.
    var advice: String {
        if needsPassword || sqlStates.contains("28P01") {
            return " (libpq reads passwords from PGPASSWORD, ~/.pgpass or a service file)"
        }
        if sqlStates.contains("28000") {
            return " (pg_hba.conf on the server decides which role may connect from where, and how)"
        }
        if text.contains("session is read-only") {
            return " (it is a standby, or default_transaction_read_only is on: name the primary with "
                + "target_session_attrs=primary)"
        }
        if text.contains("hot standby") {
            return " (a standby can be read, not written: name the primary, or every host: postgres://a,b/db)"
        }
        return ""
    }
}

/// Joins the lines of a message of libpq or the server.
func oneLine(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
