import FlowRuns
import Ledger

extension GitLedger {
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
            let before = heads
            // Read before fetching: during the fetch, another process of this machine may record commits that are
            // newer.
            let known = isFirst ? session.remembered.all() : before
            let start = ContinuousClock.now
            // The newest commits contain the whole ledger.
            var found = try await fetchWithRetries(session, depth: session.cache.isEmpty ? 1 : nil)
            var diverged = try await divergedFlows(known, in: found, session)
            for depth in [100, Int(Int32.max)] where !diverged.isEmpty && session.cache.isShallow {
                found = try await fetchWithRetries(session, depth: depth)
                diverged = try await divergedFlows(known, in: found, session)
            }
            if isFirst {
                flowsToRecheck = Set(diverged)
                if !diverged.isEmpty { warn(about: diverged, session) }
            } else if let flow = diverged.first {
                throw .replaced("\(session.remote.shown), flow \(flow),")
            }
            // Keep the heads that a push has advanced since the fetch began.
            for name in Set(before.keys).union(found.keys) where heads[name] == before[name] {
                if before[name] != found[name] { heads[name] = found[name] }
            }
            readAt = start
            // Every command remembers what it read, `plan` included, so that a reset of the ledger is detected.
            for (name, commit) in found where commit != known[name] && !(FlowID(name).map(diverged.contains) ?? true) {
                hasNewObjects = true
                session.remembered.remember(commit, at: name, replacing: known[name])
            }
            return .success(())
        } catch { return .failure(error) }
    }

    private func fetchWithRetries(_ session: Session, depth: Int?) async throws(LedgerError) -> [String: CommitID] {
        let start = ContinuousClock.now
        var (failures, isUnclear, depth) = (0, false, depth)
        while true {
            let failure: RemoteError
            switch try await session.cache.fetch(below: prefix, depth: depth) {
            case .success(let heads): return heads
            case .failure(let error): failure = error
            }
            failures += 1
            switch failure {
            case .unclear where depth == 1:
                // Git fails without a message if there are no refs.
                (depth, failures) = (nil, 0)
                continue
            case .unclear where !isUnclear: isUnclear = true
            case .unclear(let reason), .damagedCopy(let reason):
                if try await replaceCopy(ifDamaged: reason) {
                    depth = depth ?? 1
                    continue
                }
                throw failure.ledgerError(session.remote, isWriting: false)
            case .unreachable where failures < 3 && .now - start < .seconds(60): break
            case .refused, .rejected, .unreachable: throw failure.ledgerError(session.remote, isWriting: false)
            }
            await uncancellableSleep(.milliseconds(failures == 1 ? 300 : 2_000))
        }
    }

    /// Returns the flows whose commit does not descend from the known commit.
    private func divergedFlows(
        _ known: [String: CommitID], in found: [String: CommitID], _ session: Session
    ) async throws(LedgerError) -> [FlowID] {
        let flows = known.filter { FlowID($0.key) != nil }
        let divergent = try await session.cache.divergent(
            flows.compactMap { name, old in found[name].map { (old: old, new: $0) } })
        return flows.keys.filter { found[$0].map(divergent.contains) ?? true }.compactMap { FlowID($0) }.sorted()
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
            case .corrupt(let reason), .unusable(let reason): try await renewCopy(reason)
            default: throw error
            }
            return try await read()
        }
    }

    /// Replaces the copy, at most once, and fetches again.
    func renewCopy(_ reason: String) async throws(LedgerError) {
        try await replaceCopy(reason)
        try await refresh(since: .now)
    }

    /// Replaces the copy with an empty one if it is damaged, at most once.
    func replaceCopy(ifDamaged reason: String) async throws(LedgerError) -> Bool {
        guard replacing == nil, try await session().cache.isDamaged(reason) else { return false }
        try await replaceCopy(reason)
        return true
    }

    private func replaceCopy(_ reason: String) async throws(LedgerError) {
        let session = try await session()
        let task =
            replacing
            ?? Task {
                // The commits of these pushes were in the old copy.
                unanswered = [:]
                notice("the local copy of \(session.remote.shown) is damaged and is fetched again (\(reason))")
                do throws(LedgerError) { return .success(try await session.cache.replace()) } catch {
                    return .failure(error)
                }
            }
        replacing = task
        try await task.value.get()
    }
}
