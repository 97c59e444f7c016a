import FlowRuns
import Foundation
import Ledger
import SQLiteLedger
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
/// The repository is contacted on first use. Reads come from a local index of the fetched commits. Commits that wait at
/// the same time share one push.
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
        /// The local index of the fetched commits.
        let index: LedgerIndex
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
    var fetching: Task<Result<Void, LedgerError>, Never>?
    /// The start of the last successful fetch; `nil` before the first one.
    var readAt: ContinuousClock.Instant?
    var heads: [String: CommitID] = [:] { didSet { headsVersion += 1 } }
    var headsVersion = 0
    /// The flows whose ref does not descend from the commit that this machine saw last.
    ///
    /// Each of these flows is compared with the service before it is used.
    var flowsToRecheck: Set<FlowID> = []
    /// The replacement of the damaged copy, which happens at most once.
    var replacing: Task<Result<Void, LedgerError>, Never>?
    /// Whether commits were fetched or pushed, so that the copy has grown.
    var hasNewObjects = false

    // The state of the index, see Indexing.swift.
    var indexing: Task<Result<Void, LedgerError>, Never>?
    /// The version of the heads that the index reflects, unless another process has changed it.
    var indexedVersion: Int?
    /// Whether updates of the index verify the form of each line.
    var checksForm = false
    /// The flows that are not valid ledgers.
    var faults: [FlowID: LedgerError] = [:]

    // The state of pushing, see Pushing.swift.
    var waiting: [WaitingCommit] = []
    var isPushing = false
    var lastPush: ContinuousClock.Instant?
    /// The commits whose push has an unknown result, by flow and nonce. A retry pushes the same Git commit again.
    var unanswered: [String: CreatedCommit] = [:]
    var isProbed = false

    /// The maximum age of a read.
    ///
    /// A stale read is harmless: a commit that is based on it fails if the ref has changed since.
    var freshness: Duration { mode == .readOnly ? .seconds(5) : .seconds(1) }

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

    func session() async throws(LedgerError) -> Session {
        if opening == nil {
            opening = Task { [location, target, environment, folders, prefix, requestTimeout, notice] in
                do throws(LedgerError) {
                    let remote = try await Remote.find(
                        location, environment: environment, cacheFolder: folders.cache)
                    try remote.validatePushRate(requestTimeout)
                    let cache = try await CacheRepository.open(remote, cacheFolder: folders.cache)
                    let remembered = RememberedCommits(stateFolder: folders.state, remote: remote, refs: prefix)
                    let name = hexadecimal(stableHash("\(remote.shown) \(prefix) \(target)"), width: 16)
                    return .success(
                        Session(
                            cache: cache, remembered: remembered,
                            index: LedgerIndex(path: "\(folders.cache)/sluice/git/\(name).sqlite", notice: notice)))
                } catch { return .failure(error) }
            }
        }
        guard let opening else { throw .unusable("the ledger was not opened") }
        return try await opening.value.get()
    }

    package func close() async {
        guard hasNewObjects, let session = try? await session() else { return }
        hasNewObjects = false
        try? await session.cache.collectGarbage()
    }
}
