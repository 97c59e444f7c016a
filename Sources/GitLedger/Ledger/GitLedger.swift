import FlowRuns
import Foundation
import Ledger
import Text

/// A ledger in a Git repository, with one ref per flow whose commits contain the flow's record and runs.
///
/// A push that names the expected old commit is the compare-and-swap.
///
/// ```swift
/// let ledger = GitLedger(
///     location, target: target.identity, sandbox: target.sandbox, mode: .readWrite, folders: folders)
/// ```
///
/// The repository is contacted on first use. Commits that wait at the same time share one push.
package actor GitLedger: LedgerStore {
    package enum Mode: Hashable, Sendable {
        case readWrite
        case readOnly
    }

    /// The folders for cached data, which can be fetched again, and for persistent state.
    package struct Folders: Sendable {
        /// The cache folder, such as `~/.cache`.
        let cache: String
        /// The state folder, such as `~/.local/state`; `nil` if there is none.
        let state: String?

        package init(cache: String, state: String?) {
            self.cache = cache
            self.state = state
        }
    }

    /// The connection to the repository, which is set up on first use.
    struct Session: Sendable {
        let cache: CacheRepository
        let remembered: RememberedCommits
        var remote: Remote { cache.remote }
    }

    package nonisolated let isShared = true
    package nonisolated let isCommitCostly = true
    nonisolated let location: GitLocation
    nonisolated let target: String
    nonisolated let mode: Mode
    private let folders: Folders
    private let requestTimeout: Duration
    private let environment: [String: String]
    /// A callback that receives one-line warnings for the user.
    let notice: @Sendable (String) -> Void

    /// The prefix of the target's refs, such as `refs/sluice/prod-1a2b3c4d`.
    ///
    /// The prefix contains the sandbox, not the target's name, so that renaming a target keeps its ledger.
    nonisolated let prefix: String

    private var opening: Task<Result<Session, LedgerError>, Never>?
    private var fetching: Task<Result<Void, LedgerError>, Never>?
    /// The start of the last successful fetch; `nil` before the first one.
    private(set) var readAt: ContinuousClock.Instant?
    private(set) var heads: [String: CommitID] = [:]
    private var files: [FlowID: FlowFiles] = [:]
    /// The flows whose ref does not descend from the commit that this machine saw last.
    ///
    /// Each of these flows is compared with the service before it is used.
    private var distrusted: Set<FlowID> = []

    // The state of pushing, see Pushing.swift.
    var waiting: [WaitingCommit] = []
    var isPushing = false
    var lastPush: ContinuousClock.Instant?
    /// The commits whose push has an unknown result, by nonce. A retry pushes the same Git commit again.
    var unanswered: [String: MadeCommit] = [:]
    var isProbed = false

    private var renewing: Task<Result<Void, LedgerError>, Never>?

    /// The maximum age of a read.
    ///
    /// A stale read is harmless: a commit that is based on it fails if the ref has changed since.
    private var freshness: Duration { mode == .readOnly ? .seconds(5) : .seconds(1) }

    /// Creates a ledger without contacting the repository.
    ///
    /// - Parameters:
    ///   - location: The repository, the namespace of the refs, and the rate limit for pushes.
    ///   - target: The target's identity.
    ///   - sandbox: The name of the sandbox, which makes the refs recognizable.
    ///   - mode: The access mode.
    ///   - folders: The folders for the cached copy and the remembered commits.
    ///   - requestTimeout: The target's time limit for sending the claimed requests, counted from the start of the
    ///     commit.
    ///   - environment: The environment variables of this process.
    ///   - notice: Receives warnings for the user.
    package init(
        _ location: GitLocation, target: String, sandbox: String, mode: Mode, folders: Folders,
        requestTimeout: Duration = .seconds(30),
        environment: [String: String] = ProcessInfo.processInfo.environment,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.location = location
        self.target = target
        self.mode = mode
        self.folders = folders
        self.requestTimeout = requestTimeout
        self.environment = environment
        self.notice = notice
        let name = String(
            sandbox.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(40))
        let hash = hexadecimal(stableHash(target) >> 32, width: 8)
        prefix = "\(location.refs)/\(name.isEmpty ? "" : "\(name)-")\(hash)"
    }

    // MARK: The store

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        let kept = try await entries(of: flow)
        return FlowSnapshot(record: kept.record, runs: kept.entries.map(\.run))
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        try await refresh(since: .now - freshness)
        let files = try await files(of: flow)
        return FlowEntries(record: told(files.record), entries: files.entries)
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await refresh(since: .now - freshness)
        return try await fromCopy(records)
    }

    private func records() async throws(LedgerError) -> [FlowRecord] {
        let session = try await session()
        let flows = heads.compactMap { name, commit in FlowID(name).map { (flow: $0, commit: commit) } }
            .sorted { $0.flow < $1.flow }
        let contents = try await session.cache.contents(of: flows.map { "\($0.commit):\(FlowFiles.recordPath)" })
        var records: [FlowRecord] = []
        for (found, content) in zip(flows, contents) {
            let place = "\(session.remote.shown), flow \(found.flow)"
            records.append(told(try FlowFiles.record(content, of: found.flow, place: place)))
        }
        return records
    }

    /// Runs `git fsck` on the fetched commits, and decodes every flow.
    package func damage() async throws(LedgerError) -> [String] {
        try await refresh(since: .now - freshness)
        let session = try await session()
        var found: [String] = []
        let commits = heads.sorted { $0.key < $1.key }.map(\.value.description)
        if !commits.isEmpty {
            let words = ["fsck", "--no-progress", "--no-dangling", "--connectivity-only"] + commits
            var check = try await session.cache.run(words)
            if !check.isSuccess {
                try await renewCopy()
                check = try await session.cache.run(words)
            }
            if !check.isSuccess { found.append(session.remote.git.failure(of: ["fsck"], check)) }
        }
        for flow in heads.keys.compactMap({ FlowID($0) }).sorted() {
            do throws(LedgerError) { _ = try await files(of: flow) } catch .corrupt(let reason) { found.append(reason) }
        }
        return found
    }

    package func close() async {
        guard mode == .readWrite, lastPush != nil, let session = try? await session() else { return }
        try? await session.cache.tidy()
    }

    private func told(_ record: FlowRecord) -> FlowRecord {
        var record = record
        if distrusted.contains(record.id) { record.needsRecheck = true }
        return record
    }

    // MARK: Reading

    func session() async throws(LedgerError) -> Session {
        if opening == nil {
            opening = Task { [location, environment, folders, prefix, requestTimeout] in
                do throws(LedgerError) {
                    let remote = try await Remote.find(
                        location, environment: environment, cacheFolder: folders.cache)
                    try remote.checkPace(requestTimeout)
                    let cache = try await CacheRepository.open(remote, cacheFolder: folders.cache)
                    let remembered = RememberedCommits(stateFolder: folders.state, remote: remote, refs: prefix)
                    return .success(Session(cache: cache, remembered: remembered))
                } catch { return .failure(error) }
            }
        }
        guard let opening else { throw .unusable("the ledger was not opened") }
        return try await opening.value.get()
    }

    /// Fetches all refs, unless the last fetch began at `instant` or later. Concurrent callers share one fetch.
    func refresh(since instant: ContinuousClock.Instant) async throws(LedgerError) {
        while readAt.map({ $0 < instant }) ?? true {
            if let fetching {
                _ = await fetching.value
                continue
            }
            let task = Task { await fetch() }
            fetching = task
            try await task.value.get()
        }
    }

    private func fetch() async -> Result<Void, LedgerError> {
        // Clear the task before resuming waiters, or a waiter would await a finished task forever.
        defer { fetching = nil }
        do throws(LedgerError) {
            let session = try await session()
            let isFirst = readAt == nil
            // Read before fetching: during the fetch, another process of this machine may record commits that are
            // newer.
            let remembered = isFirst ? session.remembered.all() : [:]
            let known = heads
            let start = ContinuousClock.now
            let found = try await fetchWithRetries(session)
            let lost = try await notFollowing(isFirst ? remembered : known, in: found, session)
            if isFirst {
                distrusted = Set(lost)
                if !lost.isEmpty { tell(lost, session) }
                try await session.cache.removeAbandonedRefs()
            } else if let flow = lost.first {
                throw .replaced("\(session.remote.shown), flow \(flow),")
            }
            // Keep the heads that a push has advanced since the fetch began.
            for name in Set(heads.keys).union(found.keys) where heads[name] == known[name] { heads[name] = found[name] }
            readAt = start
            // Every command remembers what it read, `plan` included, so that a reset of the ledger is detected.
            for (name, commit) in found
            where commit != known[name] && commit != remembered[name] && !(FlowID(name).map(lost.contains) ?? true) {
                session.remembered.remember(commit, at: name, replacing: isFirst ? remembered[name] : known[name])
            }
            return .success(())
        } catch { return .failure(error) }
    }

    private func fetchWithRetries(_ session: Session) async throws(LedgerError) -> [String: CommitID] {
        var last = RemoteError.unreachable("it does not answer")
        let start = ContinuousClock.now
        for pause in [Duration.milliseconds(300), .seconds(2), .zero] where .now - start < .seconds(60) {
            do throws(RemoteError) {
                return try await session.cache.fetch(below: prefix)
            } catch {
                last = error
                switch error {
                case .damagedCopy: try await session.cache.replace()
                case .unreachable: break
                case .refused, .local: throw error.ledgerError(session.remote, isWriting: false)
                }
            }
            await sleepWhatever(pause)
        }
        throw last.ledgerError(session.remote, isWriting: false)
    }

    /// Returns the flows whose commit does not descend from the known commit.
    private func notFollowing(
        _ known: [String: CommitID], in found: [String: CommitID], _ session: Session
    ) async throws(LedgerError) -> [FlowID] {
        var lost: [FlowID] = []
        for (name, commit) in known where found[name] != commit {
            guard let flow = FlowID(name) else { continue }
            if let now = found[name], try await session.cache.isAncestor(commit, of: now) { continue }
            lost.append(flow)
        }
        return lost.sorted()
    }

    private func tell(_ lost: [FlowID], _ session: Session) {
        let flows = lost.prefix(3).map(\.description).joined(separator: ", ") + (lost.count > 3 ? ", …" : "")
        notice(
            "the ledger in \(session.remote.shown) was set back, rewritten or deleted since this machine saw it last "
                + "(\(flows)): apply waits until the service must list what was requested since, and compares with it first"
        )
    }

    /// Rebuilds the cached repository, at most once.
    ///
    /// A power cut or a cleanup of old files can lose objects, and Git never fetches objects again that are reachable
    /// from the cache's refs.
    private func renewCopy() async throws(LedgerError) {
        let session = try await session()
        let task =
            renewing
            ?? Task {
                do throws(LedgerError) {
                    try await session.cache.replace()
                    try await refresh(since: .now)
                    return .success(())
                } catch { return .failure(error) }
            }
        renewing = task
        try await task.value.get()
    }

    /// Returns the flow's files as of the last fetch.
    func files(of flow: FlowID) async throws(LedgerError) -> FlowFiles {
        try await fromCopy { () async throws(LedgerError) in try await filesInCopy(of: flow) }
    }

    /// Runs `read`, and retries on a rebuilt cache if a damaged cache may be the cause of the error.
    private func fromCopy<Value>(
        _ read: () async throws(LedgerError) -> Value
    ) async throws(LedgerError) -> Value {
        do throws(LedgerError) { return try await read() } catch {
            switch error {
            case .corrupt, .unusable: try await renewCopy()
            default: throw error
            }
            return try await read()
        }
    }

    private func filesInCopy(of flow: FlowID) async throws(LedgerError) -> FlowFiles {
        guard let head = heads[flow.description] else { return FlowFiles(flow) }
        if let known = files[flow], known.commit == head { return known }
        let session = try await session()
        let read = try await FlowFiles.read(flow, at: head, known: files[flow], target: target, from: session.cache)
        if mode == .readWrite { files[flow] = read }
        return read
    }

    /// Records that the remote has accepted a commit.
    func note(_ made: MadeCommit, _ session: Session) {
        let name = made.flow.description
        heads[name] = made.commit
        files[made.flow] = made.files
        distrusted.remove(made.flow)
        session.remembered.remember(made.commit, at: name)
    }
}
