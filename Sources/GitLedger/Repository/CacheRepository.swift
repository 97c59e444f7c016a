import Foundation
import Ledger
import Text

/// A bare repository in the user's cache through which a ledger is read and written.
///
/// The repository may be deleted at any time. Its refs are those of the remote as of the last fetch of any process.
struct CacheRepository: Sendable {
    let remote: Remote
    let folder: String
    /// The size in bytes above which the repository is fetched again, without the history.
    private static let maxSize = 512 << 20

    /// Opens the cache of a remote, and creates the repository if it is missing.
    ///
    /// - Parameter cacheFolder: The user's cache folder, such as `~/.cache`.
    /// - Throws: `LedgerError.unusable` if the repository cannot be created.
    static func open(_ remote: Remote, cacheFolder: String) async throws(LedgerError) -> CacheRepository {
        let folder = "\(cacheFolder)/sluice/git/\(hexadecimal(stableHash(remote.shown), width: 16)).git"
        let cache = CacheRepository(remote: remote, folder: folder)
        if !cache.exists {
            try await cache.create()
        } else if cache.packSize > maxSize {
            try await cache.replace()
        }
        return cache
    }

    /// Whether the repository has no objects, as before the first fetch.
    var isEmpty: Bool {
        let objects = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/objects")) ?? []
        return packSize == 0 && objects.allSatisfy { ["info", "pack"].contains($0) }
    }

    private var packSize: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/objects/pack")) ?? []
        return names.reduce(0) { size, name in
            var information = stat()
            return stat("\(folder)/objects/pack/\(name)", &information) == 0 ? size + Int(information.st_size) : size
        }
    }

    /// Whether the repository lacks the history before the first fetch.
    var isShallow: Bool { FileManager.default.fileExists(atPath: folder + "/shallow") }

    /// Replaces the repository with an empty one.
    func replace() async throws(LedgerError) {
        removeFolder()
        try await create()
    }

    private func create() async throws(LedgerError) {
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

    private var exists: Bool { FileManager.default.fileExists(atPath: folder + "/HEAD") }

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

    /// Fetches the remote's refs below `prefix`, with their objects.
    ///
    /// - Parameter depth: The number of commits of each ref to fetch; `nil` for those since the last fetch.
    /// - Returns: The commit of each ref, by the name of the ref without the prefix; or the reason of a failure.
    func fetch(below prefix: String, depth: Int?) async throws(LedgerError) -> Result<[String: CommitID], RemoteError> {
        let arguments =
            [
                "fetch", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
                "--no-auto-maintenance", "--quiet",
            ] + (depth.map { ["--depth=\($0)"] } ?? []) + ["--", remote.address, "+\(prefix)/*:\(prefix)/*"]
        // Git fails where two processes update the same refs.
        let lock = await lock(for: .seconds(120))
        defer { if let lock { close(lock) } }
        let result = try await run(arguments, timeLimit: .seconds(120))
        let message = remote.git.failure(of: arguments, result)
        guard result.isSuccess else { return .failure(RemoteError(message, result)) }
        // Git fetches objects of a damaged file again, but keeps the file.
        if result.errors.contains(folder) { return .failure(.damagedCopy(message)) }
        let listed = try await output(["for-each-ref", "--format=%(objectname) %(refname)", "\(prefix)/"])
        var commits: [String: CommitID] = [:]
        for line in String(decoding: listed, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let commit = CommitID(words[0]) else { continue }
            commits[String(words[1].dropFirst(prefix.count + 1))] = commit
        }
        return .success(commits)
    }

    /// Waits until no other process fetches, at most for the given time.
    ///
    /// - Returns: A file descriptor that unlocks when it is closed; `nil` if the file system has no locks.
    private func lock(for limit: Duration) async -> Int32? {
        let file = Foundation.open(folder + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        let end = ContinuousClock.now + limit
        while flock(file, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR, .now < end {
            await uncancellableSleep(.milliseconds(10))
        }
        return file
    }

    /// Checks whether the repository is damaged, after a command has failed.
    ///
    /// - Parameter message: The errors of the command. An error of the remote does not contain the path of this folder.
    func isDamaged(_ message: String = "") async throws(LedgerError) -> Bool {
        if message.contains(folder) { return true }
        return try await !run(["fsck", "--no-progress", "--no-dangling"], timeLimit: .seconds(300)).isSuccess
    }

    /// Collects garbage if enough objects or packs have accumulated.
    func collectGarbage() async throws(LedgerError) {
        let settings = ["gc.auto=3000", "gc.autoPackLimit=20", "gc.pruneExpire=1.hour", "gc.autoDetach=false"]
        _ = try await run(settings.flatMap { ["-c", $0] } + ["gc", "--auto", "--quiet"], timeLimit: .seconds(300))
    }
}
