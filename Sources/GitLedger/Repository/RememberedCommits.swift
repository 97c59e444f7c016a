import Foundation
import Text

/// The commit that this machine last saw at each ref, stored outside of the cache.
///
/// If a fetched ref does not descend from the remembered commit, the ledger was reset, rewritten or deleted.
struct RememberedCommits: Sendable {
    private let folder: String?

    /// Locates the commits remembered for a remote and a ref prefix.
    ///
    /// - Parameter stateFolder: The state folder, such as `~/.local/state`; with `nil`, no commits are remembered.
    init(stateFolder: String?, remote: Remote, refs: String) {
        let name = hexadecimal(stableHash("\(remote.shown) \(refs)"), width: 16)
        folder = stateFolder.map { "\($0)/sluice/git/\(name)" }
    }

    func all() -> [String: CommitID] {
        guard let folder, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [:] }
        var commits: [String: CommitID] = [:]
        for name in names {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
            commits[name] = CommitID(String(decoding: data, as: UTF8.self))
        }
        return commits
    }

    /// Stores a commit that was fetched, unless another process has stored a newer one meanwhile.
    func remember(_ commit: CommitID, at name: String, replacing known: CommitID?) {
        guard let folder else { return }
        let stored = FileManager.default.contents(atPath: "\(folder)/\(name)").flatMap {
            CommitID(String(decoding: $0, as: UTF8.self))
        }
        if stored == nil || stored == known { remember(commit, at: name) }
    }

    /// Stores the commit last seen at a ref. Errors are ignored, because the ledger is safe without this additional
    /// check.
    func remember(_ commit: CommitID, at name: String) {
        guard let folder else { return }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? Data(commit.description.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"), options: .atomic)
    }
}
