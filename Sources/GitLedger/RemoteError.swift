import Ledger

/// The reason why a remote could not be read or written, with Git's own message.
enum RemoteError: Error {
    /// A lasting rejection.
    case refused(String)
    /// No connection, no answer, or a temporary error of the host.
    case unreachable(String)
    /// A ref that the host rejected, because of a lock or for ever. After a second rejection, it is treated as lasting.
    case rejected(String)
    /// A failure that may be lasting or temporary, or a damaged copy. After a second one, it is treated as lasting.
    case unclear(String)

    /// Classifies a failed command by its exit and by the status code of HTTP, not by the wording of the host.
    ///
    /// - Parameter message: The output on one line, without secrets.
    init(_ message: String, _ result: ChildProcess.Result) {
        let lines = result.errors.split(whereSeparator: \.isNewline)
        if let status = Self.httpStatus(lines) {
            self = status >= 500 || [408, 425, 429].contains(status) ? .unreachable(message) : .refused(message)
        } else if result.end == .timedOut || result.isSuccess
            // Only curl and ssh write these prefixes, for a connection that was not made.
            || lines.contains(where: { $0.hasPrefix("fatal: unable to access '") || $0.hasPrefix("ssh: ") })
        {
            self = .unreachable(message)
        } else {
            self = .unclear(message)
        }
    }

    /// Returns the status code in `The requested URL returned error: 403` or `RPC failed; HTTP 502`. Lines that the host
    /// itself wrote begin with `remote:`.
    private static func httpStatus(_ lines: [Substring]) -> Int? {
        for line in lines where !line.hasPrefix("remote:") {
            for mark in ["returned error: ", "RPC failed; HTTP "] {
                guard let range = line.range(of: mark) else { continue }
                if let status = Int(line[range.upperBound...].prefix { $0.isNumber }) { return status }
            }
        }
        return nil
    }

    /// Converts to an error for the user, which names the missing permission.
    ///
    /// - Parameter isWriting: Selects the permission to push, rather than to fetch.
    func ledgerError(_ remote: Remote, isWriting: Bool) -> LedgerError {
        switch self {
        case .refused(let message), .rejected(let message), .unclear(let message):
            let right =
                isWriting
                ? "writing the ledger needs the right to push ('permissions: contents: write' in GitHub Actions, a token "
                    + "with write_repository in GitLab); a host that takes branches only needs '?refs=refs/heads/sluice'"
                : "reading the ledger needs the right to fetch ('permissions: contents: read' in GitHub Actions)"
            let end = message.hasSuffix(".") ? "" : "."
            return .unusable("the repository \(remote.shown) refuses: \(message)\(end) Nothing was sent: \(right)")
        case .unreachable(let message): return .unanswered("\(remote.shown): \(message)")
        }
    }
}
