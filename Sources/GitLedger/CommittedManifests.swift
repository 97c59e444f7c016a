import Foundation
import Ledger

/// The manifests of another revision, read from the Git repository of the working folder without changing it.
package struct CommittedManifests: Sendable {
    package struct File: Hashable, Sendable {
        /// The path from the working folder.
        package let path: String
        package let bytes: [UInt8]
    }

    /// The commit that is compared with: the common ancestor of the revision and the checked-out commit.
    package let commit: String
    package let files: [File]

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - paths: Files and folders, as for the working tree.
    ///   - revision: A branch, tag or commit, such as `origin/main`.
    ///   - environment: The environment variables of this process.
    ///   - isManifest: Whether to read a file, by its path from the working folder.
    /// - Throws: `LedgerError.unusable` when there is no repository, or the revision or a common commit is not in it.
    package static func read(
        _ paths: [String], at revision: String,
        _ environment: [String: String] = ProcessInfo.processInfo.environment,
        where isManifest: (String) -> Bool
    ) async throws(LedgerError) -> CommittedManifests {
        let git = GitProgram(environment)
        guard try await git.run(["rev-parse", "--git-dir"]).isSuccess else {
            throw .unusable("--against needs the manifests in a Git repository, and the working folder is in none")
        }
        guard
            try await git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}"])
                .isSuccess
        else {
            throw .unusable("the revision '\(revision)' is not in this clone; \(try await remedy(revision, git))")
        }
        let base = try await git.run(["merge-base", "--end-of-options", revision, "HEAD"])
        guard base.isSuccess,
            let commit = CommitID(String(decoding: base.output, as: UTF8.self).split(separator: "\n").first ?? "")
        else {
            throw .unusable(
                "this clone has no common commit of '\(revision)' and HEAD; \(try await remedy(revision, git))")
        }
        let listed = try await git.output(
            ["ls-tree", "-r", "-z", "--full-name", "--name-only", commit.description, "--"]
                + (paths.isEmpty ? ["."] : paths))
        let prefix = try await git.text(["rev-parse", "--show-prefix"]).trimmingCharacters(in: .newlines)
        func path(_ name: String) -> String { name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name }
        // A line of the request for the contents ends with a newline.
        let names = listed.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .filter { !$0.contains(where: \.isNewline) && isManifest(path($0)) }
        let contents = try await git.contents(of: names.map { "\(commit):\($0)" }, [])
        let files = zip(names, contents).compactMap { name, bytes -> File? in
            guard let bytes else { return nil }
            return File(path: path(name), bytes: Array(bytes))
        }
        return CommittedManifests(commit: commit.description, files: files)
    }

    /// Returns the command that brings the revision and its history into the clone.
    private static func remedy(_ revision: String, _ git: GitProgram) async throws(LedgerError) -> String {
        let isShallow = try await git.run(["rev-parse", "--is-shallow-repository"]).output.starts(with: "true".utf8)
        let deep =
            "fetch the history first: git fetch --unshallow origin (on GitHub: actions/checkout with fetch-depth: 0)"
        guard !isShallow else { return deep }
        let branch = revision.hasPrefix("origin/") ? revision.dropFirst("origin/".count) : revision[...]
        return "fetch it first: git fetch origin \(branch)"
    }
}

/// The commit that is checked out where manifests lie, and what it has of them. It is read with commands that no
/// setting of the user or the repository changes, and that run no program which the repository names.
package struct CheckedOutCommit: Hashable, Sendable {
    package let id: String
    /// The author as `NAME <ADDRESS>`.
    package let author: String
    /// The bytes of each file as the commit has them, in the order of the paths; `nil` for a file that it does not have.
    package let contents: [[UInt8]?]

    private static let timeLimit = Duration.seconds(10)

    /// - Parameters:
    ///   - files: the paths of the manifests; the first one that exists decides the repository.
    ///   - environment: the environment variables of this process.
    /// - Returns: `nil` outside of a repository, before its first commit, and where Git is missing or does not answer.
    package static func find(
        of files: [String], _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) async -> CheckedOutCommit? {
        let paths = files.map { URL(fileURLWithPath: $0).path }
        guard let first = paths.first(where: FileManager.default.fileExists) else { return nil }
        let folder = ["--no-replace-objects", "-C", URL(fileURLWithPath: first).deletingLastPathComponent().path]
        let git = GitProgram(environment)
        do throws(LedgerError) {
            let root = try await git.output(folder + ["rev-parse", "--show-toplevel"], timeLimit: timeLimit).dropLast()
            let commit = try await git.output(
                folder + ["rev-list", "--max-count=1", "--encoding=UTF-8", "--format=%H%n%an <%ae>", "HEAD"],
                timeLimit: timeLimit)
            // The first line is a heading.
            let lines = String(decoding: commit, as: UTF8.self).split(separator: "\n").dropFirst()
            guard lines.count == 2, let id = lines.first.flatMap({ CommitID($0) }), let author = lines.last else {
                return nil
            }
            let names = paths.map { name(of: $0, below: String(decoding: root, as: UTF8.self)) }
            let contents = try await git.contents(
                of: names.map { name in name.map { "\(id):\($0)" } ?? "none" }, folder, timeLimit: timeLimit)
            return CheckedOutCommit(
                id: id.description, author: String(author), contents: contents.map { $0.map { Array($0) } })
        } catch { return nil }
    }

    /// The path of a file below the root of the work tree; `nil` for a file elsewhere. The file itself may be a link,
    /// which the commit has as such.
    private static func name(of path: String, below root: String) -> String? {
        let file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent().resolvingSymlinksInPath().path
        let root = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        guard folder == root || folder.hasPrefix(root == "/" ? "/" : root + "/") else { return nil }
        let name = (folder + "/" + file.lastPathComponent).dropFirst(root.count).drop { $0 == "/" }
        // A line of the request for the contents ends with a newline.
        return name.contains(where: \.isNewline) ? nil : String(name)
    }
}
