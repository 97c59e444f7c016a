import Foundation
import Ledger

/// The commit that is checked out in the repository of the manifests.
package struct CheckedOutCommit: Hashable, Sendable {
    package let id: String
    /// The author as `NAME <ADDRESS>`.
    package let author: String
    /// Whether a manifest has uncommitted changes, or `git status` failed.
    package let isChanged: Bool

    /// The commit ID, followed by `-dirty` if a manifest has uncommitted changes, as in `git describe`.
    package var description: String { isChanged ? "\(id)-dirty" : id }

    /// Finds the commit that is checked out in the repository of the manifests.
    ///
    /// - Parameter files: The paths of the manifests; the first one that exists determines the repository.
    /// - Returns: `nil` outside of a repository, before its first commit, or if Git is missing or does not respond.
    package static func find(
        of files: [String], _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) async -> CheckedOutCommit? {
        let paths = files.map { URL(fileURLWithPath: $0).path }
        guard let first = paths.first(where: FileManager.default.fileExists) else { return nil }
        let folder = ["-C", URL(fileURLWithPath: first).deletingLastPathComponent().path]
        let git = GitProgram(environment)
        do throws(LedgerError) {
            let log = try await git.run(folder + ["log", "-1", "--format=%H%n%an <%ae>"], timeLimit: .seconds(10))
            let lines = String(decoding: log.output, as: UTF8.self).split(separator: "\n")
            guard log.isSuccess, lines.count == 2, let id = CommitID(lines[0]) else { return nil }
            // Keep Git from running a program that the repository configures.
            let status = try await git.run(
                folder + ["-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=all", "--"] + paths,
                timeLimit: .seconds(10))
            return CheckedOutCommit(
                id: id.description, author: String(lines[1]), isChanged: !status.isSuccess || !status.output.isEmpty)
        } catch { return nil }
    }
}
