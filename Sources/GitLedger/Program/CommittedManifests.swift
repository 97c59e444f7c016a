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
        let names = listed.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter { name in
            let path = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
            // A line of the request for the contents ends with it.
            return !name.contains(where: \.isNewline) && isManifest(path)
        }
        let contents = try await git.contents(of: names.map { "\(commit):\($0)" }, [])
        let files = zip(names, contents).compactMap { name, bytes -> File? in
            guard let bytes else { return nil }
            return File(path: name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name, bytes: bytes)
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
