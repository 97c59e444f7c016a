import Ledger

/// A file that differs between two commits.
struct FileChange: Sendable {
    let path: String
    /// The blob ID of the new content; `nil` for a deleted file.
    let blob: String?
}

/// The files that differ between two commits.
struct CommitDifference: Sendable {
    /// The old commit; `nil` if there is none, or if the copy does not contain it. Then all files differ.
    let old: CommitID?
    let new: CommitID
    var files: [FileChange] = []
}

/// Batched reads: each function needs as many processes for a thousand objects as for one.
extension CacheRepository {
    /// Lists the files that differ between pairs of commits.
    ///
    /// - Throws: `LedgerError.corrupt` if the copy lacks one of the new commits.
    func differences(
        _ pairs: [(old: CommitID?, new: CommitID)]
    ) async throws(LedgerError) -> [CommitDifference] {
        guard !pairs.isEmpty else { return [] }
        let commits = pairs.compactMap(\.old) + pairs.map(\.new)
        let names = commits.map { "\($0)^{tree}\n" }.joined()
        let listed = try await output(["cat-file", "--batch-check=%(objectname)"], input: Array(names.utf8))
        // `ID`, or `NAME missing`.
        let found = String(decoding: listed, as: UTF8.self).split(separator: "\n").map { CommitID($0)?.description }
        guard found.count == commits.count else { throw .unusable("git cat-file ended early") }
        let trees = Dictionary(zip(commits, found)) { first, _ in first }
        var differences: [CommitDifference] = []
        var input = ""
        for (old, new) in pairs {
            guard let tree = trees[new] ?? nil else { throw .corrupt("\(remote.shown): commit \(new) is missing") }
            let oldTree = old.flatMap { trees[$0] ?? nil }
            differences.append(CommitDifference(old: oldTree == nil ? nil : old, new: new))
            input += "\(oldTree ?? new.emptyTree) \(tree)\n"
        }
        let output = try await output(["diff-tree", "--stdin", "-r", "--no-renames"], input: Array(input.utf8))
        var position = -1
        // After a line with the two trees: `:MODE MODE OLD NEW STATUS TAB PATH`.
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            guard line.first == ":" else {
                position += 1
                continue
            }
            let columns = line.split(separator: "\t", maxSplits: 1)
            let words = columns[0].split(separator: " ")
            guard differences.indices.contains(position), columns.count == 2, words.count == 5 else { continue }
            differences[position].files.append(
                FileChange(path: String(columns[1]), blob: words[4] == "D" ? nil : String(words[3])))
        }
        return differences
    }

    /// Reads blobs.
    ///
    /// - Throws: `LedgerError.corrupt` if the copy lacks one. Reading it as a month without runs would make the
    ///   next commit delete the month for all users.
    func blobs(_ ids: [String]) async throws(LedgerError) -> [[UInt8]] {
        let contents = try await remote.git.contents(of: ids, ["--git-dir=\(folder)"])
        return try zip(ids, contents).map { (id, content) throws(LedgerError) in
            guard let content else { throw .corrupt("\(remote.shown): the object \(id) is missing") }
            return content
        }
    }

    /// Returns the pairs whose new commit does not descend from the old one, by one walk over the commits in between.
    func divergent(_ pairs: [(old: CommitID, new: CommitID)]) async throws(LedgerError) -> Set<CommitID> {
        let pairs = pairs.filter { $0.old != $0.new }
        guard !pairs.isEmpty else { return [] }
        let input = pairs.map { "\($0.new)\n^\($0.old)\n" }.joined()
        let output = try await output(
            ["rev-list", "--parents", "--ignore-missing", "--stdin"], input: Array(input.utf8))
        var parents: [Substring: Substring] = [:]
        let text = String(decoding: output, as: UTF8.self)
        for line in text.split(separator: "\n") {
            let commits = line.split(separator: " ")
            parents[commits[0]] = commits.count > 1 ? commits[1] : ""
        }
        return Set(
            pairs.filter { old, new in
                var commit = new.description[...]
                while let parent = parents[commit] { commit = parent }
                return commit != old.description
            }.map(\.new))
    }
}

extension GitProgram {
    /// Reads blobs with a single process.
    ///
    /// - Returns: The contents, in the same order; `nil` for a name that is not a blob's, or whose blob is missing.
    func contents(
        of names: [String], _ folder: [String], timeLimit: Duration = .seconds(60)
    ) async throws(LedgerError) -> [[UInt8]?] {
        guard !names.isEmpty else { return [] }
        let output = try await output(
            folder + ["cat-file", "--batch", "--follow-symlinks"],
            input: Array((names.joined(separator: "\n") + "\n").utf8),
            timeLimit: timeLimit)
        var rest = output[...]
        return names.map { _ in
            // `ID blob SIZE`, and the bytes; `NAME missing`; or `dangling SIZE` or the like, and where the link leads.
            let head = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(head.count + 1)
            let words = String(decoding: head, as: UTF8.self).split(separator: " ")
            guard let size = words.last.flatMap({ Int($0) }) else { return nil }
            let content = rest.prefix(size)
            rest = rest.dropFirst(size + 1)
            return words.count == 3 && words[1] == "blob" && content.count == size ? Array(content) : nil
        }
    }
}

extension CommitID {
    /// The ID of the tree without files, which every repository contains.
    fileprivate var emptyTree: String {
        description.utf8.count == 40
            ? "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
            : "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
    }
}
