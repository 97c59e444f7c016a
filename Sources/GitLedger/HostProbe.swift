import Foundation
import Ledger

/// A check, once per ledger, that the host enforces compare-and-swap: of two pushes that both saw the same ref, the
/// host itself must reject the second, not the local `git`.
extension GitLedger {
    static let probeName = "compare-and-swap"
    private static let rejectedLatePush = "The host refused a push that came too late"
    private static let acceptedLatePush = "The host let a late push replace another"

    /// Runs the check, or reads its result from the ref that an earlier check left.
    ///
    /// - Throws: `LedgerError.unusable` if the host lets a late push overwrite another, or rejects both pushes;
    ///   `LedgerError.unanswered` if the host cannot be reached.
    func probe(_ session: Session) async throws(LedgerError) {
        guard !isProbed else { return }
        let ref = "\(prefix)/\(Self.probeName)"
        if probed == nil {
            let late = try await push(Self.acceptedLatePush, Self.rejectedLatePush, to: ref, session)
            lastPush = .now
            try await refresh(since: .now)
            // The host accepted neither push: report the error of the pushes.
            guard probed != nil else { throw late.ledgerError(session.remote, isWriting: true) }
        }
        guard let probed else { return }
        let message = try await session.cache.lines(["cat-file", "commit", probed.description])
        guard !message.contains(where: { $0 == Self.acceptedLatePush }) else {
            throw .unusable(
                "the host of \(session.remote.shown) lets a late push replace another (see \(ref)): "
                    + "a ledger cannot be kept there. Nothing was sent")
        }
        isProbed = true
    }

    /// Whether an earlier check proved that the host enforces compare-and-swap; `false` before the first apply.
    ///
    /// - Throws: `LedgerError.unusable` if the earlier check proved that it does not.
    package func isCompareAndSwapProven() async throws(LedgerError) -> Bool {
        try await refresh(since: readAt ?? .now)
        guard probed != nil else { return false }
        try await probe(try await session())
        return true
    }

    /// Pushes `first`, and pushes `second` from the pre-push hook: after Git has read the refs for `first`, and before
    /// Git updates them.
    ///
    /// - Returns: The error of the first push.
    private func push(
        _ first: String, _ second: String, to ref: String, _ session: Session
    ) async throws(LedgerError) -> RemoteError {
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        let ids = try await session.cache.createCommits(
            [first, second].map { message in
                NewCommit(
                    parent: nil, message: "\(message)\n\nNonce: \(random)\n",
                    files: [FlowFiles.ledgerPath: LedgerExport.header(target: target)])
            })
        let hook = """
            #!/bin/sh
            git push --quiet --no-verify --no-signed --force-with-lease=\(ref): -- "$2" \(ids[1]):\(ref) >&2
            """
        let folder = "\(session.cache.folder)/probe-\(random)"
        // A child process writes the hook: children that start meanwhile would inherit this process's descriptor, and the
        // kernel executes no file that is open for writing ("Text file busy").
        let script = #"mkdir -p "$1" && cat > "$1/pre-push" && chmod 700 "$1/pre-push""#
        let written = try await ChildProcess(
            program: "/bin/sh", arguments: ["-c", script, "sh", folder], environment: ["PATH": "/usr/bin:/bin"],
            input: Array(hook.utf8), timeLimit: .seconds(60)
        ).run()
        guard written.isSuccess else { throw .unusable("cannot write in \(folder): \(written.errors)") }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Git silently skips a hook that is not executable, and the check would then blame the host.
        guard access(folder + "/pre-push", X_OK) == 0 else {
            throw .unusable("no program may be run in \(folder): set XDG_CACHE_HOME to a folder where one may")
        }
        return try await session.cache.push([RefChange(ref: ref, old: nil, new: ids[0])], hooks: folder).error
    }
}
