import Foundation
import Ledger

/// Finds out, once for each ledger, whether the host keeps the compare-and-swap: of two pushes that both saw the same
/// ref, the second must be refused by the host itself, not by the `git` here.
extension GitLedger {
    private static let probeName = "compare-and-swap"
    private static let kept = "The host refused a push that came too late"
    private static let broken = "The host let a late push replace another"

    /// - Throws: ``LedgerError/unusable(_:)`` for a host that does not.
    func probe(_ session: Session) async throws(LedgerError) {
        guard !isProbed else { return }
        let ref = "\(prefix)/\(Self.probeName)"
        if heads[Self.probeName] == nil {
            let late = try await push(Self.broken, Self.kept, to: ref, session)
            lastPush = .now
            try await refresh(since: .now)
            if heads[Self.probeName] == nil {
                // Neither was taken: then the reason is what the pushes said.
                throw late.trouble.ledgerError(session.remote, isWriting: true)
            }
        }
        guard let found = heads[Self.probeName] else { return }
        let message = String(
            decoding: try await session.cache.output(["cat-file", "commit", found.description]), as: UTF8.self)
        guard !message.contains(Self.broken) else {
            throw .unusable(
                "the host of \(session.remote.shown) lets a late push replace another (see \(ref)): "
                    + "a ledger cannot be kept there. Nothing was sent")
        }
        isProbed = true
    }

    /// Pushes `first`. Between the moment when it has seen that there is no such ref and the moment when it asks for it,
    /// `second` is pushed, by the hook that Git runs at that point.
    private func push(
        _ first: String, _ second: String, to ref: String, _ session: Session
    ) async throws(LedgerError) -> PushReport {
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        let ids = try await session.cache.make(
            [("late", first), ("other", second)].map { name, message in
                NewCommit(
                    name: name, parent: nil, message: "\(message)\n\nNonce: \(random)\n",
                    files: [FlowFiles.ledgerPath: LedgerExport.header(target: target)])
            })
        let folder = "\(session.cache.folder)/probe-\(random)"
        let hook = """
            #!/bin/sh
            git push --quiet --no-verify --no-signed --force-with-lease=\(ref): -- "$2" \(ids[1]):\(ref) >&2
            """
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(hook.utf8).write(to: URL(fileURLWithPath: folder + "/pre-push"))
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder + "/pre-push")
        } catch { throw .unusable("cannot write in \(folder): \(error.localizedDescription)") }
        // Git leaves out a hook that it may not run, and the host would look as if it were at fault.
        guard access(folder + "/pre-push", X_OK) == 0 else {
            throw .unusable("no program may be run in \(folder): set XDG_CACHE_HOME to a folder where one may")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await session.cache.push(
            [RefChange(ref: ref, old: nil, new: ids[0])], settings: ["core.hooksPath=\(folder)"])
    }
}
