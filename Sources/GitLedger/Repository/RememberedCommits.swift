import Foundation
import Text

/// Which commit this machine saw last at each ref, kept outside of the cache: what it remembers must lead to what it
/// reads, or the ledger was set back, rewritten or deleted.
struct RememberedCommits: Sendable {
    private let folder: String?

    /// - Parameter stateFolder: such as `~/.local/state`; `nil` remembers nothing.
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

    /// Remembering is an additional guard: where it fails, the ledger itself still holds.
    func remember(_ commit: CommitID, at name: String) {
        guard let folder else { return }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? Data(commit.description.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"), options: .atomic)
    }
}
