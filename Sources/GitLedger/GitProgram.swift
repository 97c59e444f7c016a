import Foundation
import Ledger
import Text

/// The `git` program with a sanitized environment, without prompts and with a time limit.
struct GitProgram: Sendable {
    /// The environment variables of the `git` process.
    var environment: [String: String]
    /// The values to redact in messages: configured HTTP headers and their tokens.
    var secrets: [String] = []

    /// The minimum version, which is the first one to support `GIT_CONFIG_GLOBAL`.
    static let oldestVersion = (2, 32)

    /// Creates the environment in which `git` runs.
    ///
    /// - Parameters:
    ///   - environment: The variables of this process. Git's own variables are dropped, except those for transport and
    ///     credentials and, without `configuration`, for configuration.
    ///   - configuration: The settings, in order, which replace the configuration of the user and the system. They are
    ///     passed as variables, because a process list shows arguments.
    init(_ environment: [String: String], configuration: [(key: String, value: String)]? = nil) {
        var variables = environment.filter { key, _ in
            !key.hasPrefix("GIT_") || Self.isForTransport(key)
                || configuration == nil && key.hasPrefix("GIT_CONFIG_")
        }
        variables["LC_ALL"] = "C"
        variables["LANGUAGE"] = nil
        variables["GIT_TERMINAL_PROMPT"] = "0"
        variables["GIT_OPTIONAL_LOCKS"] = "0"
        if let configuration {
            variables["GIT_CONFIG_GLOBAL"] = "/dev/null"
            variables["GIT_CONFIG_NOSYSTEM"] = "1"
            variables["GIT_CONFIG_COUNT"] = String(configuration.count)
            for (number, setting) in configuration.enumerated() {
                variables["GIT_CONFIG_KEY_\(number)"] = setting.key
                variables["GIT_CONFIG_VALUE_\(number)"] = setting.value
            }
        }
        self.environment = variables
    }

    private static func isForTransport(_ key: String) -> Bool {
        let names = [
            "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_USERNAME", "GIT_PASSWORD",
            "GIT_EXEC_PATH", "GIT_ALLOW_PROTOCOL",
        ]
        return names.contains(key) || ["GIT_SSL_", "GIT_PROXY_", "GIT_HTTP_"].contains { key.hasPrefix($0) }
    }

    /// Runs `git` with the given arguments.
    ///
    /// - Throws: `LedgerError.unusable` if Git is not installed or cannot be started.
    func run(
        _ arguments: [String], input: [UInt8] = [], timeLimit: Duration = .seconds(60)
    ) async throws(LedgerError) -> ChildProcess.Result {
        guard let program = Self.path(in: environment) else {
            throw .unusable("the program 'git' is not installed, or not in PATH")
        }
        return try await ChildProcess(
            program: program, arguments: arguments, environment: environment, input: input, timeLimit: timeLimit
        ).run()
    }

    private static func path(in environment: [String: String]) -> String? {
        (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").lazy.map { "\($0)/git" }
            .first { access($0, X_OK) == 0 }
    }

    /// Runs `git` and returns its standard output.
    ///
    /// - Throws: `LedgerError.unusable` if the command fails.
    func output(
        _ arguments: [String], input: [UInt8] = [], timeLimit: Duration = .seconds(60)
    ) async throws(LedgerError) -> [UInt8] {
        let result = try await run(arguments, input: input, timeLimit: timeLimit)
        guard result.isSuccess else { throw .unusable(failure(of: arguments, result)) }
        return result.output
    }

    func text(_ arguments: [String], input: [UInt8] = []) async throws(LedgerError) -> String {
        String(decoding: try await output(arguments, input: input), as: UTF8.self)
    }

    /// Reads blobs with a single process.
    ///
    /// - Returns: The contents, in the same order; `nil` for a name that is not a blob's, or whose blob is missing.
    func contents(
        of names: [String], _ folder: [String], timeLimit: Duration = .seconds(60)
    ) async throws(LedgerError) -> [ArraySlice<UInt8>?] {
        guard !names.isEmpty else { return [] }
        let output = try await output(
            folder + ["cat-file", "--batch", "--buffer", "--follow-symlinks"],
            input: Array((names.joined(separator: "\n") + "\n").utf8),
            timeLimit: timeLimit)
        var rest = output[...]
        return names.map { _ in
            // `ID blob SIZE`, and the bytes; `NAME missing`; or `dangling SIZE` or the like, and where the link leads.
            let head = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(head.count + 1)
            let words = String(decoding: head, as: UTF8.self).split(separator: " ")
            guard let size = words.last.flatMap({ Int($0) }) else { return nil }
            let content = rest.prefix(size)
            rest = rest.dropFirst(size + 1)
            return words.count == 3 && words[1] == "blob" && content.count == size ? content : nil
        }
    }

    /// Checks that Git has at least the minimum version.
    ///
    /// - Throws: `LedgerError.unusable` if Git is older.
    func checkVersion() async throws(LedgerError) {
        let version = try await text(["version"])
        let numbers = version.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2, (numbers[0], numbers[1]) < Self.oldestVersion else { return }
        throw .unusable(
            "git \(numbers[0]).\(numbers[1]) is too old: a ledger in a Git repository needs git "
                + "\(Self.oldestVersion.0).\(Self.oldestVersion.1) or later")
    }

    // MARK: Messages

    /// Describes a failed command on one line, without secrets.
    func failure(of arguments: [String], _ result: ChildProcess.Result) -> String {
        let name = arguments.first { !$0.hasPrefix("-") && !$0.hasPrefix("/") } ?? "git"
        let message = shown(result.errors)
        return switch result.end {
        case .timedOut:
            "git \(name) did not end in time; does a credential helper wait for input?"
                + (message.isEmpty ? "" : " \(message)")
        case .killed(let signal): "git \(name) was ended by signal \(signal)" + (message.isEmpty ? "" : ": \(message)")
        case .exited(let status): message.isEmpty ? "git \(name) ended with status \(status)" : message
        }
    }

    /// Formats output of Git for a message: one line of at most 600 characters, without hints and secrets.
    func shown(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("hint:") && !$0.hasPrefix("To ") && $0 != "remote:" }
        var line = withoutCredentials(lines.joined(separator: "; "))
        for secret in secrets { line = line.replacingOccurrences(of: secret, with: "…") }
        return printable(line.count > 600 ? line.prefix(600) + "…" : line)
    }
}

/// Removes user names and passwords from the URLs in a text. The user name in an ssh URL is kept.
func withoutCredentials(_ text: String) -> String {
    var shown = ""
    var rest = text[...]
    while let range = rest.range(of: "://") {
        shown += rest[..<range.upperBound]
        let scheme = rest[..<range.lowerBound].reversed().prefix { $0.isLetter || $0.isNumber || $0 == "+" }
        rest = rest[range.upperBound...]
        let authority = rest.prefix { !$0.isWhitespace && !"/'\"<>".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { continue }
        let user = authority[..<at].prefix { $0 != ":" }
        if String(scheme.reversed()).lowercased().hasSuffix("ssh") { shown += "\(user)@" }
        rest = rest[authority.index(after: at)...]
    }
    return shown + rest
}
