import Foundation
import Ledger

/// One ref that a push changes, and only if it is still at `old`.
struct RefChange: Hashable, Sendable {
    /// The whole name: `refs/sluice/…`
    let ref: String
    /// `nil` where the ref must not be there yet.
    let old: CommitID?
    let new: CommitID

    /// What `git push` is given for it, and how it names it in its answer.
    var specification: String { "\(new):\(ref)" }
    var lease: String { "--force-with-lease=\(ref):\(old?.description ?? "")" }
}

/// What a push has surely brought, and what was said about the rest.
struct PushReport: Sendable {
    /// Those that the remote has surely taken. Of any other nothing is known: not by the exit code, not by a refusal.
    let taken: Set<RefChange>
    let trouble: RemoteError
}

extension CacheRepository {
    /// Pushes several refs at once, each by itself taken or not.
    ///
    /// - Parameter settings: more of Git's configuration, as `-c` takes it.
    func push(_ changes: [RefChange], settings: [String] = []) async throws(LedgerError) -> PushReport {
        let arguments =
            settings.flatMap { ["-c", $0] } + [
                "push", "--porcelain", settings.isEmpty ? "--no-verify" : "--verify", "--no-recurse-submodules",
                "--no-signed", "--no-follow-tags", "--no-progress",
            ] + changes.map(\.lease) + ["--", remote.address] + changes.map(\.specification)
        let result = try await run(arguments)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let taken = changes.filter { change in lines.contains { Self.isTaken(change, $0) } }
        // The lines of the refs that were refused hold the reason, the errors hold the rest.
        let refusals = lines.filter { $0.hasPrefix("!") }.map { $0.split(separator: "\t").last ?? $0 }
        let said = [remote.git.shown(refusals.joined(separator: "\n")), remote.git.failure(of: ["push"], result)]
        return PushReport(
            taken: Set(taken),
            trouble: RemoteError(said.filter { !$0.isEmpty }.joined(separator: "; "), result))
    }

    /// `FLAG TAB FROM:TO TAB SUMMARY`: a space is a changed ref, `*` a new one, `=` one that was there already.
    private static func isTaken(_ change: RefChange, _ line: Substring) -> Bool {
        let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let flag = parts.first, [" ", "*", "="].contains(flag) else { return false }
        return parts[1] == change.specification
    }
}
