import Foundation
import Ledger

/// A Git commit to create, as a change to the files of its parent.
struct NewCommit: Sendable {
    /// The name of the ref that keeps the commit, within this process's namespace.
    let name: String
    let parent: CommitID?
    let message: String
    /// The new file contents by path; `nil` deletes the file.
    let files: [String: [UInt8]?]
}

extension CacheRepository {
    /// Creates commits with a single `git fast-import` process, without an index or a work tree.
    ///
    /// - Returns: The commit IDs, in the same order.
    func make(_ commits: [NewCommit]) async throws(LedgerError) -> [CommitID] {
        let seconds = Int(Date().timeIntervalSince1970)
        var input: [UInt8] = []
        func line(_ text: String) { input += Array("\(text)\n".utf8) }
        func data(_ bytes: [UInt8]) {
            line("data \(bytes.count)")
            input += bytes
            line("")
        }
        for (number, commit) in commits.enumerated() {
            line("commit \(madeRef(commit.name))")
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
        for number in commits.indices { line("get-mark :\(number + 1)") }
        line("done")
        let output = try await output(
            ["fast-import", "--quiet", "--force", "--done", "--date-format=raw"], input: input)
        let ids = String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { CommitID($0) }
        guard ids.count == commits.count else { throw .unusable("git fast-import did not report the commits it made") }
        return ids
    }

    /// Reads objects with a single `git cat-file` process.
    ///
    /// - Parameter names: Object names as Git accepts them, such as `COMMIT:PATH`.
    /// - Returns: The contents, in the same order; `nil` for a missing object.
    func contents(of names: [String]) async throws(LedgerError) -> [[UInt8]?] {
        guard !names.isEmpty else { return [] }
        let output = try await output(
            ["cat-file", "--batch"], input: Array((names.joined(separator: "\n") + "\n").utf8))
        var rest = output[...]
        var contents: [[UInt8]?] = []
        while contents.count < names.count, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let header = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            rest = rest[(end + 1)...]
            guard header.count == 3, let size = Int(header[2]), size < rest.count else {
                contents.append(nil)
                continue
            }
            contents.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size + 1)
        }
        guard contents.count == names.count else { throw .unusable("git cat-file ended early") }
        return contents
    }

    /// Lists the files of a commit, with the blob ID of each.
    func files(of commit: CommitID) async throws(LedgerError) -> [(path: String, blob: String)] {
        let listed = String(decoding: try await output(["ls-tree", "-r", "-z", commit.description]), as: UTF8.self)
        return listed.split(separator: "\0").compactMap { entry in
            let parts = entry.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2, let blob = parts[0].split(separator: " ").last else { return nil }
            return (path: String(parts[1]), blob: String(blob))
        }
    }

    /// Checks whether any of the texts occurs in the run files of any of the commits.
    func contain(_ texts: [String], in commits: [CommitID]) async throws(LedgerError) -> Bool {
        let found = try await run(
            ["grep", "--quiet", "-F"] + texts.flatMap { ["-e", $0] } + commits.map(\.description) + ["--", "runs"])
        return found.isSuccess
    }
}
