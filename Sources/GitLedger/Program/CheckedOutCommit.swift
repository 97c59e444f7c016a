import Foundation
import Ledger

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
            return CheckedOutCommit(id: id.description, author: String(author), contents: contents)
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
        // A line of the request ends with it.
        return name.contains(where: \.isNewline) ? nil : String(name)
    }
}
