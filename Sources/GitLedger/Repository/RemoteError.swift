import Ledger

/// The reason why a remote could not be read or written, with Git's own message.
enum RemoteError: Error {
    /// A permanent rejection: missing permission, no such repository, or a hook.
    case refused(String)
    /// No response, or an unclear one.
    case unreachable(String)
    /// A damaged repository in the cache.
    case damagedCopy(String)
    case local(LedgerError)

    /// Classifies a failed command by its output.
    ///
    /// - Parameter said: The output on one line, without secrets.
    init(_ said: String, _ result: ChildProcess.Result) {
        let text = said.lowercased()
        func has(_ phrases: [String]) -> Bool { phrases.contains { text.contains($0) } }
        if result.end != .timedOut, has(Self.refusals) {
            self = .refused(said)
        } else if has([
            "not a git repository: '/", "bad object", "loose object", "packed-refs.lock", "is corrupt", "inflate",
        ]) {
            self = .damagedCopy(said)
        } else {
            self = .unreachable(said)
        }
    }

    private static let refusals = [
        "authentication failed", "could not read username", "could not read password", "permission denied",
        "permission to ", "access denied", "returned error: 401", "returned error: 403", "returned error: 404",
        "repository not found", "does not appear to be a git repository", "does not exist", "hook declined",
        "protected branch", "not allowed", "read-only", "read only", "insufficient permission",
        "unable to create temporary object directory", "hidden ref", "funny refname", "deny", "prohibited",
        "host key verification failed", "unpacker error",
    ]

    /// Converts to an error for the user, which names the missing permission.
    ///
    /// - Parameter isWriting: Selects the permission to push, rather than to fetch.
    func ledgerError(_ remote: Remote, isWriting: Bool) -> LedgerError {
        switch self {
        case .refused(let said):
            let right =
                isWriting
                ? "writing the ledger needs the right to push ('permissions: contents: write' in GitHub Actions, a token "
                    + "with write_repository in GitLab); a host that takes branches only needs '?refs=refs/heads/sluice'"
                : "reading the ledger needs the right to fetch ('permissions: contents: read' in GitHub Actions)"
            return .unusable("the repository \(remote.shown) refuses: \(said). Nothing was sent: \(right)")
        case .unreachable(let said): return .unanswered("\(remote.shown): \(said)")
        case .damagedCopy(let said): return .unusable("the copy of \(remote.shown) in the cache: \(said)")
        case .local(let error): return error
        }
    }
}
