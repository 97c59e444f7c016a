import Foundation
import Ledger
import Text

/// A bare repository in the user's cache through which a ledger is read and written.
///
/// The repository may be deleted at any time. Processes share the cache but use per-process refs: with shared refs, 1
/// in 6 concurrent fetches failed (measured). The refs of earlier processes save the next fetch from downloading known
/// objects.
struct CacheRepository: Sendable {
    let remote: Remote
    let folder: String
    /// The namespace of this process's refs, below `refs/`.
    private let namespace: String

    /// Opens the cache of a remote, and creates the repository if it is missing.
    ///
    /// - Parameter cacheFolder: The user's cache folder, such as `~/.cache`.
    /// - Throws: `LedgerError.unusable` if the repository cannot be created.
    static func open(_ remote: Remote, cacheFolder: String) async throws(LedgerError) -> CacheRepository {
        let name = hexadecimal(stableHash(remote.shown), width: 16)
        let cache = CacheRepository(
            remote: remote, folder: "\(cacheFolder)/sluice/git/\(name).git", namespace: processNamespace())
        try await cache.create()
        return cache
    }

    private var exists: Bool { FileManager.default.fileExists(atPath: folder + "/HEAD") }

    private func create() async throws(LedgerError) {
        guard !exists else { return }
        // Create under a temporary name and rename, so that concurrent processes never see an incomplete repository.
        let draft = "\(folder).\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(
                atPath: draft, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unusable(
                "cannot create the folder \(draft) for the copy of the ledger: \(error.localizedDescription)")
        }
        defer { try? FileManager.default.removeItem(atPath: draft) }
        _ = try await remote.git.output(["init", "--quiet", "--bare", "--template=", draft])
        if rename(draft, folder) == 0 || exists { return }
        // The folder holds the remains of a repository, as after a cleanup of old cache files.
        removeFolder()
        guard rename(draft, folder) == 0 || exists else {
            throw .unusable("cannot create \(folder): \(String(cString: strerror(errno)))")
        }
    }

    /// Replaces a damaged repository with an empty one.
    func replace() async throws(LedgerError) {
        removeFolder()
        try await create()
    }

    /// Removes the folder atomically, by renaming it first, since other processes may be using the repository.
    private func removeFolder() {
        let damaged = "\(folder).\(UUID().uuidString)"
        _ = rename(folder, damaged)
        try? FileManager.default.removeItem(atPath: damaged)
    }

    func run(
        _ arguments: [String], input: [UInt8] = [], timeLimit: Duration = .seconds(60)
    ) async throws(LedgerError) -> ChildProcess.Result {
        try await remote.git.run(["--git-dir=\(folder)"] + arguments, input: input, timeLimit: timeLimit)
    }

    func output(_ arguments: [String], input: [UInt8] = []) async throws(LedgerError) -> [UInt8] {
        try await remote.git.output(["--git-dir=\(folder)"] + arguments, input: input)
    }

    // MARK: Refs

    /// The namespace of the refs that this process has fetched.
    private var readNamespace: String { "refs/\(namespace)/read/" }
    /// Returns the ref that protects a commit created by this process from garbage collection.
    func madeRef(_ name: String) -> String { "refs/\(namespace)/made/\(name)" }

    /// Fetches the remote's refs below `prefix`, with all of their objects.
    ///
    /// - Returns: The commit of each ref, by the name of the ref without the prefix.
    func fetch(below prefix: String) async throws(RemoteError) -> [String: CommitID] {
        let arguments = [
            "fetch", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--no-auto-maintenance", "--quiet", "--", remote.address, "+\(prefix)/*:\(readNamespace)*",
        ]
        let result: ChildProcess.Result
        do throws(LedgerError) { result = try await run(arguments, timeLimit: .seconds(120)) } catch {
            throw .local(error)
        }
        guard result.isSuccess else { throw RemoteError(remote.git.failure(of: arguments, result), result) }
        do throws(LedgerError) {
            let listed = try await output(["for-each-ref", "--format=%(objectname) %(refname)", readNamespace])
            return Self.refs(listed, below: readNamespace)
        } catch { throw .local(error) }
    }

    private static func refs(_ listed: [UInt8], below prefix: String) -> [String: CommitID] {
        var commits: [String: CommitID] = [:]
        for line in String(decoding: listed, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[1].hasPrefix(prefix), let commit = CommitID(words[0]) else { continue }
            commits[String(words[1].dropFirst(prefix.count))] = commit
        }
        return commits
    }

    /// Checks whether `commit` is an ancestor of `other`; a commit that is missing in the repository is not.
    func isAncestor(_ commit: CommitID, of other: CommitID) async throws(LedgerError) -> Bool {
        if commit == other { return true }
        return try await run(["merge-base", "--is-ancestor", commit.description, other.description]).isSuccess
    }

    /// Removes the refs of processes that have ended. Must run after the first fetch, which these refs make faster.
    func removeAbandonedRefs() async throws(LedgerError) {
        let listed = String(
            decoding: try await output(["for-each-ref", "--format=%(refname)", "refs/process/"]), as: UTF8.self)
        let abandoned = listed.split(separator: "\n").filter { ref in
            let name = ref.split(separator: "/").dropFirst(2).first ?? ""
            return !namespace.hasSuffix("/\(name)") && Self.isAbandoned(String(name))
        }
        guard !abandoned.isEmpty else { return }
        // If another process does the same concurrently, one of the two commands fails, which is harmless.
        let commands = abandoned.map { "delete \($0)\n" }.joined()
        _ = try await run(["update-ref", "--stdin"], input: Array(commands.utf8))
    }

    /// Creates the namespace of this process: `process/HOST.PID.SECONDS.RANDOM`, with the start in Unix seconds.
    private static func processNamespace() -> String {
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        return "process/\(host).\(getpid()).\(Int(Date().timeIntervalSince1970)).\(random)"
    }

    /// Checks whether the process of a namespace has ended. On another machine that is assumed after a week.
    private static func isAbandoned(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        guard parts.count == 4, let process = pid_t(parts[1]), let time = Double(parts[2]) else { return true }
        if Date().timeIntervalSince1970 - time > 7 * 86_400 { return true }
        return parts[0] == host && kill(process, 0) != 0 && errno == ESRCH
    }

    private static let host = hexadecimal(stableHash(machineName()), width: 16)

    /// Collects garbage if enough loose objects have accumulated.
    func tidy() async throws(LedgerError) {
        _ = try await run([
            "-c", "gc.auto=3000", "-c", "gc.autoDetach=false", "-c", "gc.packRefs=false", "gc", "--auto", "--quiet",
        ])
    }
}
