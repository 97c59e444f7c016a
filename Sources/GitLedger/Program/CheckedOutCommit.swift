import Foundation
import Ledger

/// The commit that is checked out where manifests lie, as far as Git tells.
package struct CheckedOutCommit: Hashable, Sendable {
    package let id: String
    /// `NAME <ADDRESS>`
    package let author: String
    /// Whether some of the manifests are not as the commit has them.
    package let isChanged: Bool

    /// With `-dirty` after it where manifests were changed since, as `git describe` writes it.
    package var description: String { isChanged ? "\(id)-dirty" : id }

    /// - Parameter files: the manifests; the first tells the repository.
    /// - Returns: `nil` outside of a repository, before its first commit, and where Git is missing or does not answer.
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
            // No program that the repository names is run.
            let status = try await git.run(
                folder + ["-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=all", "--"] + paths,
                timeLimit: .seconds(10))
            return CheckedOutCommit(
                id: id.description, author: String(lines[1]), isChanged: !status.isSuccess || !status.output.isEmpty)
        } catch { return nil }
    }
}
