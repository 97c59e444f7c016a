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
///     location, target: target.identity, sandbox: target.sandbox, mode: .readWrite, cacheFolder: cacheFolder,
///     stateFolder: stateFolder)
/// ```
///
/// The repository is contacted on first use. Reads come from a local index of the fetched commits. Commits that wait at
/// the same time share one push.
package actor GitLedger: LedgerStore {
    package enum Mode: Hashable, Sendable {
        case readWrite
        case readOnly
    }

    /// The connection to the repository, which is set up on first use.
    struct Session: Sendable {
        let cache: CacheRepository
        let remembered: RememberedCommits
        /// The local index of the fetched commits.
        let index: LedgerIndex
        var remote: Remote { cache.remote }

        /// Brings flows of the index to newer commits.
        ///
        /// - Returns: The flows that are not valid ledgers, whose rows stay as they are.
        fileprivate func index(
            _ requests: [FlowFiles.Request], target: String, checksForm: Bool
        ) async throws(LedgerError) -> [FlowID: LedgerError] {
            var updates: [LedgerIndex.Update] = []
            var faults: [FlowID: LedgerError] = [:]
            let read = try await FlowFiles.read(requests, from: cache, target: target, checksForm: checksForm)
            for (request, files) in zip(requests, read) {
                do throws(LedgerError) { updates.append(try request.update(try files.get())) } catch {
                    faults[request.flow] = error
                }
            }
            await index.apply(updates)
            return faults
        }
    }

    /// The number of files that are read at once into the index, if a single flow has no more.
    private static let filesPerChunk = 256
    /// The maximum number of chunks in memory: some are parsed while another one is read or stored.
    private static let maxConcurrentChunks = 4

    package nonisolated let isShared = true
    package nonisolated let isCommitCostly = true
    nonisolated let target: String
    nonisolated let mode: Mode
    /// The prefix of the target's refs, such as `refs/sluice/prod-1a2b3c4d`.
    ///
    /// The prefix contains the sandbox, not the target's name, so that renaming a target keeps its ledger.
    nonisolated let prefix: String
    /// A callback that receives one-line warnings for the user.
    let notice: @Sendable (String) -> Void

    private let open: @Sendable () async -> Result<Session, LedgerError>
    private var opening: Task<Result<Session, LedgerError>, Never>?
    private var fetching: Task<Result<Void, LedgerError>, Never>?
    /// The start of the last successful fetch; `nil` before the first one.
    var readAt: ContinuousClock.Instant?
    /// The commit of each flow.
    var heads: [FlowID: CommitID] = [:]
    /// The commit that an earlier check of the host left, see HostProbe.swift.
    var probed: CommitID?
    var isProbed = false
    /// The flows whose ref does not descend from the commit that this machine saw last.
    ///
    /// Each of these flows is compared with the service before it is used.
    var flowsToRecheck: Set<FlowID> = []
    /// The replacement of the damaged copy, which happens at most once.
    private var replacing: Task<Result<Void, LedgerError>, Never>?
    var hasReplacedCopy: Bool { replacing != nil }
    /// Whether commits were fetched or pushed, so that the copy has grown.
    var hasNewObjects = false

    private var indexing: Task<Result<Void, LedgerError>, Never>?
    /// The heads that the index reflects, unless another process has changed it.
    var indexedHeads: [FlowID: CommitID]?
    /// Whether updates of the index verify the form of each line.
    private var checksForm = false
    /// The flows that are not valid ledgers.
    private var faults: [FlowID: LedgerError] = [:]

    // The state of pushing, see Pushing.swift.
    var waiting: [WaitingCommit] = []
    var isPushing = false
    var lastPush: ContinuousClock.Instant?
    /// The commits whose push has an unknown result, by flow and nonce. A retry pushes the same Git commit again.
    var unanswered: [String: CreatedCommit] = [:]

    /// Creates a ledger without contacting the repository.
    ///
    /// - Parameters:
    ///   - location: The repository, the namespace of the refs, and the rate limit for pushes.
    ///   - target: The target's identity.
    ///   - sandbox: The name of the sandbox, which makes the refs recognizable.
    ///   - mode: The access mode.
    ///   - cacheFolder: The folder for data that can be fetched again, such as `~/.cache`.
    ///   - stateFolder: The folder for persistent state, such as `~/.local/state`; `nil` if there is none.
    ///   - requestTimeout: The target's time limit for sending the claimed requests, counted from the start of the
    ///     commit.
    ///   - environment: The environment variables of this process.
    ///   - notice: Receives warnings for the user.
    package init(
        _ location: GitLocation, target: String, sandbox: String, mode: Mode, cacheFolder: String,
        stateFolder: String?, requestTimeout: Duration = .seconds(30),
        environment: [String: String] = ProcessInfo.processInfo.environment,
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.target = target
        self.mode = mode
        self.notice = notice
        let name = String(
            sandbox.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(40))
        let hash = hexadecimal(stableHash(target) >> 32, width: 8)
        let prefix = "\(location.refs)/\(name.isEmpty ? "" : "\(name)-")\(hash)"
        self.prefix = prefix
        open = {
            await Result { () async throws(LedgerError) in
                let remote = try await Remote.find(location, environment: environment, cacheFolder: cacheFolder)
                try remote.validatePushRate(requestTimeout)
                let index = hexadecimal(stableHash("\(remote.shown) \(prefix) \(target)"), width: 16)
                return Session(
                    cache: try await CacheRepository.open(remote, cacheFolder: cacheFolder),
                    remembered: RememberedCommits(stateFolder: stateFolder, remote: remote, refs: prefix),
                    index: LedgerIndex(path: "\(cacheFolder)/sluice/git/\(index).sqlite", notice: notice))
            }
        }
    }

    func session() async throws(LedgerError) -> Session {
        let task = opening ?? Task { [open] in await open() }
        opening = task
        return try await task.value.get()
    }

    package func close() async {
        guard hasNewObjects, let session = try? await session() else { return }
        hasNewObjects = false
        try? await session.cache.collectGarbage()
    }

    // MARK: Fetch

    /// Fetches what a read needs: once in a command that only reads.
    ///
    /// A command that writes fetches again after a second, because it may wait for the claim of another process to end.
    /// Otherwise, a stale read is harmless: a commit that is based on it fails if the ref has changed since.
    private func refresh() async throws(LedgerError) {
        let now = ContinuousClock.now
        try await refresh(since: mode == .readOnly ? readAt ?? now : now - .seconds(1))
    }

    /// Fetches all refs, unless the last fetch began at `instant` or later. Concurrent callers share one fetch.
    func refresh(since instant: ContinuousClock.Instant) async throws(LedgerError) {
        while readAt.map({ $0 < instant }) ?? true {
            if let fetching {
                _ = await fetching.value
                continue
            }
            let task = Task {
                // Clear the task before resuming waiters, or a waiter would await a finished task forever.
                defer { fetching = nil }
                return await Result { () async throws(LedgerError) in try await fetch() }
            }
            fetching = task
            try await task.value.get()
        }
    }

    private func fetch() async throws(LedgerError) {
        let session = try await session()
        let isFirst = readAt == nil
        let before = heads
        // Read before fetching: during the fetch, another process of this machine may record commits that are newer.
        let known = isFirst ? session.remembered.all() : before
        let start = ContinuousClock.now
        // The newest commits contain the whole ledger.
        var found = try await fetchWithRetries(session, depth: session.cache.isEmpty ? 1 : nil)
        var diverged = try await session.cache.diverged(known, in: found)
        for depth in [100, Int(Int32.max)] where !diverged.isEmpty && session.cache.isShallow {
            found = try await fetchWithRetries(session, depth: depth)
            diverged = try await session.cache.diverged(known, in: found)
        }
        if isFirst {
            if found.isEmpty, probed == nil { try await session.cache.checkObjectFormat() }
            flowsToRecheck = diverged
            if !diverged.isEmpty { warn(about: diverged.sorted(), session) }
        } else if let flow = diverged.min() {
            throw .replaced("\(session.remote.shown), flow \(flow),")
        }
        // Keep the heads that a push has advanced since the fetch began.
        for flow in Set(before.keys).union(found.keys) where heads[flow] == before[flow] {
            if before[flow] != found[flow] { heads[flow] = found[flow] }
        }
        readAt = start
        // Every command remembers what it read, `plan` included, so that a reset of the ledger is detected.
        for (flow, commit) in found where commit != known[flow] && !diverged.contains(flow) {
            hasNewObjects = true
            session.remembered.remember(commit, of: flow, replacing: known[flow])
        }
    }

    private func fetchWithRetries(_ session: Session, depth: Int?) async throws(LedgerError) -> [FlowID: CommitID] {
        let start = ContinuousClock.now
        var (failures, isUnclear, depth) = (0, false, depth)
        while true {
            let failure: RemoteError
            switch try await session.cache.fetch(below: prefix, depth: depth) {
            case .success(let refs):
                probed = refs[Self.probeName]
                let flows = refs.compactMap { name, commit in FlowID(name).map { ($0, commit) } }
                return Dictionary(flows) { first, _ in first }
            case .failure(let error): failure = error
            }
            failures += 1
            switch failure {
            case .unclear where depth == 1:
                // Git fails without a message if there are no refs.
                (depth, failures) = (nil, 0)
                continue
            case .unclear where !isUnclear: isUnclear = true
            case .unclear(let reason):
                guard try await replaceCopy(ifDamaged: reason) else {
                    throw failure.ledgerError(session.remote, isWriting: false)
                }
                depth = depth ?? 1
                continue
            case .unreachable where failures < 3 && .now - start < .seconds(60): break
            case .refused, .rejected, .unreachable: throw failure.ledgerError(session.remote, isWriting: false)
            }
            await uncancellableSleep(.milliseconds(failures == 1 ? 300 : 2_000))
        }
    }

    private func warn(about diverged: [FlowID], _ session: Session) {
        let flows = diverged.prefix(3).map(\.description).joined(separator: ", ") + (diverged.count > 3 ? ", …" : "")
        notice(
            "the ledger in \(session.remote.shown) was set back, rewritten or deleted since this machine saw it last "
                + "(\(flows)): apply waits until the service must list what was requested since, and compares with it first"
        )
    }

    // MARK: Damage to the copy

    /// Runs `read`, and retries on a new copy if a damaged copy may be the cause of the error.
    ///
    /// A power cut or a cleanup of old files can lose objects, and Git never fetches objects again that are reachable
    /// from the copy's refs.
    func fromCopy<Value>(_ read: () async throws(LedgerError) -> Value) async throws(LedgerError) -> Value {
        do throws(LedgerError) { return try await read() } catch {
            switch error {
            case .corrupt(let reason), .unusable(let reason): try await replaceCopy(reason)
            default: throw error
            }
            try await refresh(since: .now)
            return try await read()
        }
    }

    /// Replaces the copy if it is damaged, at most once.
    ///
    /// - Returns: Whether the copy is new.
    func replaceCopy(ifDamaged reason: String) async throws(LedgerError) -> Bool {
        guard replacing == nil, try await session().cache.isDamaged(reason) else { return false }
        try await replaceCopy(reason)
        return true
    }

    /// Replaces the copy with an empty one, at most once.
    private func replaceCopy(_ reason: String) async throws(LedgerError) {
        let session = try await session()
        let task =
            replacing
            ?? Task {
                // The commits of these pushes were in the old copy.
                unanswered = [:]
                notice("the local copy of \(session.remote.shown) is damaged and is fetched again (\(reason))")
                return await Result { () async throws(LedgerError) in try await session.cache.replace() }
            }
        replacing = task
        try await task.value.get()
    }

    // MARK: Read from the local index

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await refresh()
        return try await fromIndex { index in
            let known = await index.flows()
            var records: [FlowRecord] = []
            for (flow, head) in heads {
                // A flow that is not a valid ledger fails when it is read, and not all flows with it.
                guard faults[flow] != nil || known[flow]?.version == head.description else { return nil }
                records.append(marked(known[flow]?.record ?? FlowRecord(id: flow)))
            }
            return records.sorted { $0.id < $1.id }
        }
    }

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        let read = try await read(flow) { await $0.snapshot(of: flow, version: $1) }
        return FlowSnapshot(record: marked(read?.record ?? FlowRecord(id: flow)), runs: read?.runs ?? [])
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        let read = try await read(flow) { await $0.entries(of: flow, version: $1) }
        return FlowEntries(record: marked(read?.record ?? FlowRecord(id: flow)), entries: read?.entries ?? [])
    }

    /// Reads a flow at its fetched commit; returns `nil` for a flow that has no ref.
    private func read<Value>(
        _ flow: FlowID, _ read: (LedgerIndex, String) async -> Value?
    ) async throws(LedgerError) -> Value? {
        try await refresh()
        let read: Result<Value?, LedgerError> = try await fromIndex { index in
            guard let head = heads[flow] else { return .success(nil) }
            if let fault = faults[flow] { return .failure(fault) }
            return await read(index, head.description).map { .success($0) }
        }
        return try read.get()
    }

    private func marked(_ record: FlowRecord) -> FlowRecord {
        var record = record
        if flowsToRecheck.contains(record.id) { record.needsRecheck = true }
        return record
    }

    /// Runs `git fsck`, and decodes every flow again.
    package func damage() async throws(LedgerError) -> [String] {
        try await refresh()
        let session = try await session()
        if try await session.cache.isDamaged() {
            try await replaceCopy("git fsck found errors")
            try await refresh(since: .now)
        }
        await session.index.remove(session.index.flows().keys.map(\.self))
        (checksForm, indexedHeads) = (true, nil)
        try await fromIndex { _ in () }
        return faults.values.map { if case .corrupt(let reason) = $0 { reason } else { $0.description } }.sorted()
    }

    /// Reads the index after bringing it to the fetched commits.
    ///
    /// - Parameter read: Returns `nil` if the index has other versions because another process has changed it, or
    ///   because it was damaged.
    func fromIndex<Value>(_ read: (LedgerIndex) async -> Value?) async throws(LedgerError) -> Value {
        let index = try await session().index
        for attempt in 1...10 {
            while indexing != nil || indexedHeads != heads {
                let task =
                    indexing
                    ?? Task {
                        defer { indexing = nil }
                        return await Result { () async throws(LedgerError) in try await fromCopy(updateIndex) }
                    }
                indexing = task
                try await task.value.get()
            }
            if let value = await read(index) { return value }
            indexedHeads = nil
            // A process that has fetched other commits brings the index to these, which are usually newer.
            if attempt > 1 { try await refresh(since: .now) }
            if attempt == 5 { index.leaveFile() }
        }
        throw .unusable("the local index of the ledger is damaged: run the command again")
    }

    /// Brings the index from the commits that it reflects to those that were fetched, by the files that differ.
    ///
    /// - Throws: `LedgerError` if the copy is incomplete.
    private func updateIndex() async throws(LedgerError) {
        let (session, heads) = (try await session(), heads)
        let known = await session.index.flows()
        await session.index.remove(known.keys.filter { heads[$0] == nil })
        let changed = heads.filter { known[$0.key]?.version != $0.value.description }.sorted { $0.key < $1.key }
        let differences = try await session.cache.differences(
            changed.map { flow, head in (old: known[flow].flatMap { CommitID($0.version) }, new: head) })
        var chunks: [[FlowFiles.Request]] = [[]]
        var files = 0
        for (flow, difference) in zip(changed.map(\.key), differences) {
            files += difference.files.count
            if files > Self.filesPerChunk {
                chunks.append([])
                files = difference.files.count
            }
            chunks[chunks.count - 1].append(
                FlowFiles.Request(
                    flow: flow, difference: difference, version: known[flow]?.version, record: known[flow]?.record))
        }
        let results = await withTaskGroup(of: Result<[FlowID: LedgerError], LedgerError>.self) { group in
            var results: [Result<[FlowID: LedgerError], LedgerError>] = []
            for (number, chunk) in chunks.enumerated() {
                if number >= Self.maxConcurrentChunks, let result = await group.next() { results.append(result) }
                group.addTask { [target, checksForm] in
                    await Result { () async throws(LedgerError) in
                        try await session.index(chunk, target: target, checksForm: checksForm)
                    }
                }
            }
            for await result in group { results.append(result) }
            return results
        }
        faults = [:]
        for result in results { faults.merge(try result.get()) { first, _ in first } }
        indexedHeads = heads
    }

    /// Records that the remote has accepted commits.
    func recordAccepted(_ created: [CreatedCommit], _ session: Session) async {
        let isIndexed = indexing == nil && indexedHeads == heads
        for created in created {
            heads[created.flow] = created.change.new
            flowsToRecheck.remove(created.flow)
            session.remembered.remember(created.change.new, of: created.flow)
        }
        hasNewObjects = true
        // Otherwise the next read updates the index.
        guard isIndexed else { return }
        let indexed = heads
        await session.index.apply(created.map(\.update))
        if indexed == heads { indexedHeads = heads }
    }
}

extension Result where Failure == LedgerError {
    /// Collects the result of a body that throws, because a task and a child task cannot throw a typed error.
    init(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(LedgerError) -> Success
    ) async {
        do throws(LedgerError) { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
