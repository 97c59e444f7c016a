import FlowRuns
import Foundation
import Text

/// The commit of each flow that this machine last saw, stored outside of the cache.
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

    func all() -> [FlowID: CommitID] {
        let names = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        let flows = names.compactMap { name in FlowID(name).flatMap { flow in stored(flow).map { (flow, $0) } } }
        return Dictionary(flows) { first, _ in first }
    }

    private func stored(_ flow: FlowID) -> CommitID? {
        folder.flatMap { FileManager.default.contents(atPath: "\($0)/\(flow)") }
            .flatMap { CommitID(String(decoding: $0, as: UTF8.self)) }
    }

    /// Stores a commit that was fetched, unless another process has stored a newer one meanwhile.
    func remember(_ commit: CommitID, of flow: FlowID, replacing known: CommitID?) {
        let stored = stored(flow)
        if stored == nil || stored == known { remember(commit, of: flow) }
    }

    /// Stores the commit last seen. Errors are ignored, because the ledger is safe without this additional check.
    func remember(_ commit: CommitID, of flow: FlowID) {
        guard let folder else { return }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? Data(commit.description.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(flow)"), options: .atomic)
    }
}
