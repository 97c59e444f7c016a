import Foundation
import Ledger

/// A Git commit to create, as a change to the files of its parent.
struct NewCommit: Sendable {
    let parent: CommitID?
    let message: String
    /// The new file contents by path; `nil` deletes the file.
    let files: [String: [UInt8]?]
}

extension CacheRepository {
    /// Creates commits with a single `git fast-import` process, without an index or a work tree.
    ///
    /// - Returns: The commit IDs, in the same order.
    func createCommits(_ commits: [NewCommit]) async throws(LedgerError) -> [CommitID] {
        let seconds = Int(Date().timeIntervalSince1970)
        var input: [UInt8] = []
        func line(_ text: String) { input += Array("\(text)\n".utf8) }
        func data(_ bytes: [UInt8]) {
            line("data \(bytes.count)")
            input += bytes
            line("")
        }
        for (number, commit) in commits.enumerated() {
            line("commit refs/made/\(number)")
            line("mark :\(number + 1)")
            line("author Sluice <sluice@localhost> \(seconds) +0000")
            line("committer Sluice <sluice@localhost> \(seconds) +0000")
            data(Array(commit.message.utf8))
            if let parent = commit.parent { line("from \(parent)") }
            for (path, bytes) in commit.files.sorted(by: { $0.key < $1.key }) {
                if let bytes {
                    line("M 100644 inline \(path)")
                    data(bytes)
                } else {
                    line("D \(path)")
                }
            }
            line("")
        }
        // Without refs, garbage collection keeps the commits for an hour, and a push takes less.
        for number in commits.indices { line("reset refs/made/\(number)\n\nget-mark :\(number + 1)") }
        line("done")
        let output = try await output(
            ["fast-import", "--quiet", "--force", "--done", "--date-format=raw"], input: input)
        let ids = String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { CommitID($0) }
        guard ids.count == commits.count else { throw .unusable("git fast-import did not report the commits it made") }
        return ids
    }
}
