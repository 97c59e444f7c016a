extension Target {
    /// The location of the ledger.
    package enum LedgerAddress: Hashable, Sendable, CustomStringConvertible {
        /// A file; the path is already relative to the working folder, not to the manifest. `~/` is `$HOME`.
        case sqlite(path: String)
        /// A PostgreSQL database: `postgres://user@host:5432/db` as libpq reads it, or `postgres:`, which leaves
        /// everything to libpq's environment.
        case postgres(String)
        /// Refs of a Git repository.
        case git(GitAddress)

        /// Parses the output of ``description`` without validation.
        package init(_ description: String) {
            let scheme = description.prefix { $0 != ":" }
            switch scheme {
            case "sqlite": self = .sqlite(path: String(description.dropFirst(scheme.count + 1)))
            case "git": self = .git(GitAddress(description))
            default: self = .postgres(description)
            }
        }

        /// The address as a manifest writes it.
        package var description: String {
            switch self {
            case .sqlite(let path): "sqlite:\(path)"
            case .postgres(let address): address
            case .git(let address): address.description
            }
        }
    }
}

/// The reason why a text is not a valid ledger address.
package struct LedgerAddressError: Error, Hashable, Sendable {
    package let code: DiagnosticCode
    /// The problem in one sentence, without a full stop and without secrets.
    package let message: String
    /// The suggested fix.
    package let suggestion: String

    init(_ message: String, suggestion: String, code: DiagnosticCode = .badLedgerAddress) {
        self.code = code
        self.message = message
        self.suggestion = suggestion
    }
}

extension Target.LedgerAddress {
    /// Parses and validates an address as written in a manifest or on the command line.
    ///
    /// - Parameters:
    ///   - text: the address, such as `sqlite:ledger.sqlite`.
    ///   - folder: the manifest's folder with a trailing slash, the base of relative paths; empty for the working
    ///     directory.
    /// - Throws: ``LedgerAddressError`` if the address is malformed or contains credentials.
    package init(written text: String, in folder: Substring = "") throws(LedgerAddressError) {
        if text.hasPrefix("git:") {
            self = .git(try GitAddress(written: text, in: folder))
            return
        }
        if !text.hasPrefix("sqlite:"), withoutSecrets(text) != text {
            throw LedgerAddressError(
                "the address of the ledger contains a password",
                suggestion: "remove it: libpq reads passwords from PGPASSWORD, ~/.pgpass or a service file",
                code: .secretInManifest)
        }
        switch text.prefix(while: { $0 != ":" }) {
        case "sqlite": self = .sqlite(path: try Self.path(text, in: folder))
        case "postgres", "postgresql": self = .postgres(try Self.server(text))
        default: throw Self.unknown(text)
        }
    }

    /// Returns the path of an SQLite ledger. SQLite treats `:memory:` and `file:` specially, so both are refused: a
    /// ledger must outlive its process.
    private static func path(_ text: String, in folder: Substring) throws(LedgerAddressError) -> String {
        let path = String(text.dropFirst("sqlite:".count))
        guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:"), !path.hasSuffix("/") else {
            throw LedgerAddressError(
                "\(quoted(text)) does not name a file", suggestion: "write a path, such as sqlite:.sluice/prod.sqlite")
        }
        guard !path.hasPrefix("~") || path.hasPrefix("~/") else {
            throw LedgerAddressError(
                "\(quoted(text)): only '~/' is expanded, to $HOME", suggestion: HomePath.advice(path))
        }
        guard !path.hasPrefix("/"), !path.hasPrefix("~/"), !folder.isEmpty else { return path }
        let joined = "\(folder)\(path.hasPrefix("./") ? path.dropFirst(2) : path[...])"
        // A folder that is named '~' is not the home folder.
        return joined.hasPrefix("~") ? "./" + joined : joined
    }

    /// Validates a PostgreSQL address. libpq decodes percent-encoded parameter names (`p%61ssword`), which could hide a
    /// password, so encoded names are refused.
    private static func server(_ text: String) throws(LedgerAddressError) -> String {
        if text.hasSuffix(":"), text.count(where: { $0 == ":" }) == 1 { return text }
        let suggestion = "write postgres://USER@HOST:PORT/DATABASE, or 'postgres:' for what libpq's environment says"
        guard let url = AddressParts(text), !url.path.isEmpty else {
            throw LedgerAddressError("invalid ledger address \(quoted(text))", suggestion: suggestion)
        }
        let parameters = url.path.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&") ?? []
        if let encoded = parameters.first(where: { $0.prefix { $0 != "=" }.contains("%") }) {
            throw LedgerAddressError(
                "the name of the parameter \(quoted(String(encoded.prefix { $0 != "=" }))) is percent-encoded",
                suggestion: "write it in plain letters")
        }
        return text
    }

    private static func unknown(_ text: String) -> LedgerAddressError {
        LedgerAddressError(
            "invalid ledger address \(quoted(text))",
            suggestion: "write sqlite:PATH, such as sqlite:.sluice/prod.sqlite, git: for this repository, "
                + "or postgres://USER@HOST:PORT/DATABASE")
    }
}
