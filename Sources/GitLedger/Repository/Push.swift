import Foundation
import Ledger

/// An update of a ref, which the remote accepts only if the ref is still at `old`.
struct RefChange: Hashable, Sendable {
    /// The full name, such as `refs/sluice/…`.
    let ref: String
    /// The expected commit; `nil` if the ref must not exist yet.
    let old: CommitID?
    let new: CommitID

    /// The refspec for `git push`, which also identifies the update in the output.
    var specification: String { "\(new):\(ref)" }
    var lease: String { "--force-with-lease=\(ref):\(old?.description ?? "")" }
}

/// The result of a push: the confirmed updates, and the error for the others.
struct PushReport: Sendable {
    /// The updates that the remote has confirmed. All others are unknown, even with a failed exit code or a rejection.
    let accepted: Set<RefChange>
    let error: RemoteError
}

extension CacheRepository {
    /// Pushes several refs at once. The push is not atomic: each update succeeds or fails independently.
    ///
    /// - Parameter settings: Additional Git settings in the form of `-c`, which also enable the pre-push hook.
    func push(_ changes: [RefChange], settings: [String] = []) async throws(LedgerError) -> PushReport {
        let arguments =
            settings.flatMap { ["-c", $0] } + [
                "push", "--porcelain", settings.isEmpty ? "--no-verify" : "--verify", "--no-recurse-submodules",
                "--no-signed", "--no-follow-tags", "--no-progress",
            ] + changes.map(\.lease) + ["--", remote.address] + changes.map(\.specification)
        let result = try await run(arguments)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
        }
        // `FLAG TAB FROM:TO TAB SUMMARY`: a space marks an updated ref, `*` a new one, `=` one that was up to date.
        func updated(_ change: RefChange) -> Bool {
            lines.contains { $0.count == 3 && [" ", "*", "="].contains($0[0]) && $0[1] == change.specification }
        }
        // Porcelain output contains the reasons for rejected refs, standard error contains everything else.
        let refusals = lines.filter { $0[0] == "!" }.compactMap(\.last)
        let message = [remote.git.shown(refusals.joined(separator: "\n")), remote.git.failure(of: ["push"], result)]
            .filter { !$0.isEmpty }.joined(separator: "; ")
        // The host rejects a ref for a lock or forever; Git itself rejects one that has moved.
        let error: RemoteError =
            if refusals.contains(where: { $0.hasPrefix("[remote rejected]") }) {
                .rejected(message)
            } else if !refusals.isEmpty { .unreachable(message) } else { RemoteError(message, result) }
        return PushReport(accepted: Set(changes.filter(updated)), error: error)
    }
}
