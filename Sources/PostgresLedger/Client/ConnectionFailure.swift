import Foundation

/// A failure to connect, over all hosts of the address.
///
/// Servers localise their messages, so failures are classified by SQLSTATE. libpq localises its messages by the
/// process's locale, which is never set, so these are always in English.
struct ConnectionFailure: Hashable, Sendable {
    /// The message on one line.
    let text: String
    /// The SQLSTATE of each server that refused, in the order in which the hosts were tried.
    let sqlStates: [String]
    /// Whether the server requests a password and libpq has none.
    let needsPassword: Bool

    /// Parses libpq's message. Only a verbose message contains SQLSTATEs:
    /// `…: FATAL:  28P01: Passwort-Authentifizierung …`.
    ///
    /// - Parameter text: libpq's message, on several lines.
    init(_ text: String, needsPassword: Bool = false) {
        // `LOCATION:` names a position in the server's source code.
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

    /// Whether a retry may succeed soon. An unclassified failure counts as permanent, because it has already occurred
    /// twice.
    var isTransient: Bool {
        if needsPassword { return false }
        guard sqlStates.isEmpty else { return sqlStates.allSatisfy(Self.isTransient) }
        return Self.transientReasons.contains(where: text.contains)
    }

    /// Whether the server's or the role's connection limit is reached.
    var isConnectionLimit: Bool {
        // PgBouncer uses one SQLSTATE for most errors, and does not localise its messages.
        sqlStates.contains("53300") || (sqlStates.contains("08P01") && text.contains("no more connections"))
    }

    /// Whether the SQLSTATE reports a connection failure, missing resources, or a server that starts or shuts down.
    private static func isTransient(_ sqlState: String) -> Bool {
        ["08", "53", "57"].contains(sqlState.prefix(2)) && sqlState != "57P04"
    }

    /// Texts of transient failures: the system's messages for an unreachable host, and libpq's messages for a server
    /// that is slow or closes the connection.
    private static let transientReasons: [String] = {
        let errors = [
            ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN,
            EADDRNOTAVAIL, EAGAIN,
        ]
        return errors.map { String(cString: strerror($0)) } + [String(cString: gai_strerror(EAI_AGAIN))]
            // A missing Unix socket appears when the server starts.
            + ["timeout expired", "server closed the connection unexpectedly", "Is the server running"]
    }()

    /// A hint in parentheses, or an empty text.
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

/// Joins the lines of a message from libpq or the server.
func oneLine(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
