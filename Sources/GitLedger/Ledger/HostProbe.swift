import Foundation
import Ledger

/// A check, once per ledger, that the host enforces compare-and-swap: of two pushes that both saw the same ref, the
/// host itself must reject the second, not the local `git`.
extension GitLedger {
    private static let probeName = "compare-and-swap"
    private static let rejectedLatePush = "The host refused a push that came too late"
    private static let acceptedLatePush = "The host let a late push replace another"

    /// Runs the check, or reads its result from the ref that an earlier check left.
    ///
    /// - Throws: `LedgerError.unusable` if the host lets a late push overwrite another, or rejects both pushes;
    ///   `LedgerError.unanswered` if the host cannot be reached.
    func probe(_ session: Session) async throws(LedgerError) {
        guard !isProbed else { return }
        let ref = "\(prefix)/\(Self.probeName)"
        if heads[Self.probeName] == nil {
            let late = try await push(Self.acceptedLatePush, Self.rejectedLatePush, to: ref, session)
            lastPush = .now
            try await refresh(since: .now)
            if heads[Self.probeName] == nil {
                // The host accepted neither push: report the error of the pushes.
                throw late.error.ledgerError(session.remote, isWriting: true)
            }
        }
        guard let found = heads[Self.probeName] else { return }
        let message = String(
            decoding: try await session.cache.output(["cat-file", "commit", found.description]), as: UTF8.self)
        guard !message.contains(Self.acceptedLatePush) else {
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
        let session = try await session()
        try await refresh(since: .now - .seconds(5))
        guard heads[Self.probeName] != nil else { return false }
        try await probe(session)
        return true
    }

    /// Pushes `first`, and pushes `second` from the pre-push hook: after Git has read the refs for `first`, and before
    /// Git updates them.
    private func push(
        _ first: String, _ second: String, to ref: String, _ session: Session
    ) async throws(LedgerError) -> PushReport {
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        let ids = try await session.cache.createCommits(
            [first, second].map { message in
                NewCommit(
                    parent: nil, message: "\(message)\n\nNonce: \(random)\n",
                    files: [FlowFiles.ledgerPath: LedgerExport.header(target: target)])
            })
        let folder = "\(session.cache.folder)/probe-\(random)"
        let hook = """
            #!/bin/sh
            git push --quiet --no-verify --no-signed --force-with-lease=\(ref): -- "$2" \(ids[1]):\(ref) >&2
            """
        try await Self.write(hook, asProgram: "pre-push", in: folder)
        // Git silently skips a hook that is not executable, and the check would then blame the host.
        guard access(folder + "/pre-push", X_OK) == 0 else {
            throw .unusable("no program may be run in \(folder): set XDG_CACHE_HOME to a folder where one may")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await session.cache.push(
            [RefChange(ref: ref, old: nil, new: ids[0])], settings: ["core.hooksPath=\(folder)"])
    }

    /// Writes an executable file in a new folder.
    ///
    /// A child process writes it: children that start meanwhile would inherit this process's descriptor, and the kernel
    /// executes no file that is open for writing ("Text file busy").
    private static func write(_ text: String, asProgram name: String, in folder: String) async throws(LedgerError) {
        let script = #"mkdir -p "$1" && cat > "$1/$2" && chmod 700 "$1/$2""#
        let writer = ChildProcess(
            program: "/bin/sh", arguments: ["-c", script, "sh", folder, name], environment: ["PATH": "/usr/bin:/bin"],
            input: Array(text.utf8), timeLimit: .seconds(60))
        let reason: String
        do throws(ChildProcess.StartError) {
            let result = try await writer.run()
            if result.isSuccess { return }
            reason = result.errors
        } catch { reason = error.reason }
        throw .unusable("cannot write in \(folder): \(reason)")
    }
}
