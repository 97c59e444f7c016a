import Ledger

/// Why a remote could not be read or written, in its own words.
enum RemoteError: Error {
    /// It said no, and will say so again: no rights, no such repository, a hook.
    case refused(String)
    /// It did not answer, or not clearly.
    case unreachable(String)
    /// The copy in the cache is of no use.
    case damagedCopy(String)
    case local(LedgerError)

    /// - Parameter said: on one line, without secrets.
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

    /// Why nothing more can be done, for the one who reads or writes.
    ///
    /// - Parameter isWriting: names the right that is needed.
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
