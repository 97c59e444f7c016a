import FlowRuns
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
    var isEmpty: Bool { packSize == 0 && files(in: "objects").allSatisfy { ["info", "pack"].contains($0) } }

    private var packSize: Int {
        files(in: "objects/pack").reduce(0) { size, name in
            var information = stat()
            return stat("\(folder)/objects/pack/\(name)", &information) == 0 ? size + Int(information.st_size) : size
        }
    }

    private func files(in path: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(path)")) ?? []
    }

    /// Whether the repository lacks the history before the first fetch.
    var isShallow: Bool { FileManager.default.fileExists(atPath: folder + "/shallow") }

    private var exists: Bool { FileManager.default.fileExists(atPath: folder + "/HEAD") }

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

    /// Runs a command with lines of input, and returns the lines of its output.
    func lines(_ arguments: [String], input: [String] = []) async throws(LedgerError) -> [Substring] {
        let input = Array(input.map { "\($0)\n" }.joined().utf8)
        return try await remote.git.text(["--git-dir=\(folder)"] + arguments, input: input).split(separator: "\n")
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

    // MARK: Fetch

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
        if result.errors.contains(folder) { return .failure(.unclear(message)) }
        let listed = try await lines(["for-each-ref", "--format=%(objectname) %(refname)", "\(prefix)/"])
        let refs = listed.compactMap { line -> (String, CommitID)? in
            let words = line.split(separator: " ", maxSplits: 1)
            return CommitID(words[0]).map { (String(words[1].dropFirst(prefix.count + 1)), $0) }
        }
        return .success(Dictionary(refs) { first, _ in first })
    }

    /// Checks that a remote without refs of the ledger can contain them.
    ///
    /// The object format is a part of the protocol: an empty repository has no commit IDs to recognize it by.
    ///
    /// - Throws: `LedgerError.unusable` if the remote is a SHA-256 repository.
    func checkObjectFormat() async throws(LedgerError) {
        var git = remote.git
        git.environment["GIT_TRACE_PACKET"] = "1"
        guard try await git.run(["ls-remote", "--", remote.address, "HEAD"]).errors.contains("object-format=sha256")
        else { return }
        throw .unusable(
            "\(remote.shown) has the hash algorithm SHA-256: a ledger needs a repository with SHA-1, the default of Git"
        )
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

    // MARK: Read

    /// Lists the files that differ between pairs of commits, with as few processes for a thousand pairs as for one.
    ///
    /// - Throws: `LedgerError.corrupt` if the copy lacks one of the new commits.
    func differences(
        _ pairs: [(old: CommitID?, new: CommitID)]
    ) async throws(LedgerError) -> [CommitDifference] {
        guard !pairs.isEmpty else { return [] }
        let commits = pairs.compactMap(\.old) + pairs.map(\.new)
        let listed = try await lines(
            ["cat-file", "--batch-check=%(objectname)"], input: commits.map { "\($0)^{tree}" })
        guard listed.count == commits.count else { throw .unusable("git cat-file ended early") }
        // `ID`, or `NAME missing`.
        let trees = Dictionary(zip(commits, listed.map { CommitID($0) })) { first, _ in first }
        var differences: [CommitDifference] = []
        var input: [String] = []
        for (old, new) in pairs {
            guard let tree = trees[new] ?? nil else { throw .corrupt("\(remote.shown): commit \(new) is missing") }
            let oldTree = old.flatMap { trees[$0] ?? nil }
            differences.append(CommitDifference(old: oldTree == nil ? nil : old, new: new))
            input.append("\(oldTree?.description ?? Self.emptyTree) \(tree)")
        }
        var position = -1
        // After a line with the two trees: `:MODE MODE OLD NEW STATUS TAB PATH`.
        for line in try await lines(["diff-tree", "--stdin", "-r", "--no-renames"], input: input) {
            guard line.first == ":" else {
                position += 1
                continue
            }
            let columns = line.split(separator: "\t", maxSplits: 1)
            let words = columns[0].split(separator: " ")
            guard differences.indices.contains(position), columns.count == 2, words.count == 5 else { continue }
            differences[position].files.append(
                CommitDifference.File(path: String(columns[1]), blob: words[4] == "D" ? nil : String(words[3])))
        }
        return differences
    }

    /// The tree without files, which every repository contains.
    private static let emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

    /// Reads blobs with a single process.
    ///
    /// - Throws: `LedgerError.corrupt` if the copy lacks one. Reading it as a month without runs would make the
    ///   next commit delete the month for all users.
    func blobs(_ ids: [String]) async throws(LedgerError) -> [ArraySlice<UInt8>] {
        let contents = try await remote.git.contents(of: ids, ["--git-dir=\(folder)"])
        return try zip(ids, contents).map { (id, content) throws(LedgerError) in
            guard let content else { throw .corrupt("\(remote.shown): the object \(id) is missing") }
            return content
        }
    }

    /// Returns the flows whose commit does not descend from the known one, or is gone, by one walk over the commits in
    /// between.
    func diverged(_ known: [FlowID: CommitID], in found: [FlowID: CommitID]) async throws(LedgerError) -> Set<FlowID> {
        let changed = known.filter { found[$0.key] != $0.value }
        let input = changed.flatMap { flow, old in found[flow].map { ["\($0)", "^\(old)"] } ?? [] }
        guard !input.isEmpty else { return Set(changed.keys) }
        var parents: [Substring: Substring] = [:]
        for line in try await lines(["rev-list", "--parents", "--ignore-missing", "--stdin"], input: input) {
            let commits = line.split(separator: " ")
            parents[commits[0]] = commits.count > 1 ? commits[1] : ""
        }
        return Set(
            changed.filter { flow, old in
                var commit = (found[flow]?.description ?? "")[...]
                while let parent = parents[commit] { commit = parent }
                return commit != old.description
            }.keys)
    }

    // MARK: Write

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
        let arguments = ["fast-import", "--quiet", "--force", "--done", "--date-format=raw"]
        let output = try await remote.git.text(["--git-dir=\(folder)"] + arguments, input: input)
        let ids = output.split(separator: "\n").compactMap { CommitID($0) }
        guard ids.count == commits.count else { throw .unusable("git fast-import did not report the commits it made") }
        return ids
    }

    /// Pushes several refs at once. The push is not atomic: each update succeeds or fails independently.
    ///
    /// - Parameters:
    ///   - changes: The updates of refs.
    ///   - hooks: The folder of a pre-push hook; `nil` to run no hook.
    /// - Returns: The updates that the remote has confirmed, and the error for the others. These are unknown, even with a
    ///   failed exit code or a rejection.
    func push(
        _ changes: [RefChange], hooks: String? = nil
    ) async throws(LedgerError) -> (accepted: Set<RefChange>, error: RemoteError) {
        let arguments =
            (hooks.map { ["-c", "core.hooksPath=\($0)"] } ?? []) + [
                "push", "--porcelain", hooks == nil ? "--no-verify" : "--verify", "--no-recurse-submodules",
                "--no-signed", "--no-follow-tags", "--no-progress",
            ] + changes.map(\.lease) + ["--", remote.address] + changes.map(\.specification)
        let result = try await run(arguments)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
        }
        // `FLAG TAB FROM:TO TAB SUMMARY`: a space marks an updated ref, `*` a new one, `=` one that was up to date.
        let accepted = changes.filter { change in
            lines.contains { $0.count == 3 && [" ", "*", "="].contains($0[0]) && $0[1] == change.specification }
        }
        // Porcelain output contains the reasons for rejected refs, standard error contains everything else.
        let refusals = lines.filter { $0[0] == "!" }.compactMap(\.last)
        let message = [remote.git.shown(refusals.joined(separator: "\n")), remote.git.failure(of: ["push"], result)]
            .filter { !$0.isEmpty }.joined(separator: "; ")
        // The host rejects a ref for a lock or forever; Git itself rejects one that has moved.
        let error: RemoteError =
            if refusals.contains(where: { $0.hasPrefix("[remote rejected]") }) {
                .rejected(message)
            } else if !refusals.isEmpty { .unreachable(message) } else { RemoteError(message, result) }
        return (Set(accepted), error)
    }
}

/// A validated commit ID: 40 lowercase hexadecimal digits, or 64 in a SHA-256 repository.
///
/// The validation matters: a push with an empty ID would delete the ref.
struct CommitID: Hashable, Sendable, CustomStringConvertible {
    let description: String

    /// Returns `nil` if the text is not a full commit ID.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 40 || text.utf8.count == 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        description = String(text)
    }
}

/// The files that differ between two commits.
struct CommitDifference: Sendable {
    struct File: Sendable {
        let path: String
        /// The blob ID of the new content; `nil` for a deleted file.
        let blob: String?
    }

    /// The old commit; `nil` if there is none, or if the copy does not contain it. Then all files differ.
    let old: CommitID?
    let new: CommitID
    var files: [File] = []
}

/// A Git commit to create, as a change to the files of its parent.
struct NewCommit: Sendable {
    let parent: CommitID?
    let message: String
    /// The new file contents by path; `nil` deletes the file.
    let files: [String: [UInt8]?]
}

/// An update of a ref, which the remote accepts only if the ref is still at `old`.
struct RefChange: Hashable, Sendable {
    /// The full name, such as `refs/sluice/…`.
    let ref: String
    /// The expected commit; `nil` if the ref must not exist yet.
    let old: CommitID?
    let new: CommitID

    /// The refspec for `git push`, which also identifies the update in the output.
    var specification: String { "\(new):\(ref)" }
    var lease: String { "--force-with-lease=\(ref):\(old?.description ?? "")" }
}
