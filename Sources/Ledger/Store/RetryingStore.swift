import FlowRuns
import Synchronization

/// A store that retries calls to another store while that store cannot be reached or cannot serve them.
///
/// Every call may be repeated: a read changes nothing, and a store recognizes a repeated commit by its nonce.
///
/// ```swift
/// let store = RetryingStore(server, reads: .seconds(20), commits: .seconds(60))
/// ```
package struct RetryingStore: LedgerStore {
    /// The store that is called.
    package let store: any LedgerStore
    private let reads: Duration
    private let commits: Duration
    private let clock: RetryClock

    package var isShared: Bool { store.isShared }
    package var isCommitCostly: Bool { store.isCommitCostly }

    /// - Parameters:
    ///   - store: the store to call.
    ///   - reads: the maximum time for retries of a read.
    ///   - commits: the maximum time for retries of a commit.
    ///   - clock: the clock for the pauses.
    package init(_ store: any LedgerStore, reads: Duration, commits: Duration, clock: RetryClock = RetryClock()) {
        self.store = store
        self.reads = reads
        self.commits = commits
        self.clock = clock
    }

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        try await retrying(for: reads, clock) { () async throws(LedgerError) in try await store.snapshot(of: flow) }
    }

    package func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        try await retrying(for: commits, clock) { () async throws(LedgerError) in try await store.commit(commit) }
    }

    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await retrying(for: reads, clock) { () async throws(LedgerError) in try await store.flows() }
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        try await retrying(for: reads, clock) { () async throws(LedgerError) in try await store.entries(of: flow) }
    }

    package func scan(
        _ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool
    ) async throws(LedgerError) {
        try await retryingUntilVisited(visit) { (visit) async throws(LedgerError) in
            try await store.scan(flow, visit: visit)
        }
    }

    package func scanRuns(
        _ flow: FlowID, visit: @escaping @Sendable (FlowSnapshot) -> Bool
    ) async throws(LedgerError) {
        try await retryingUntilVisited(visit) { (visit) async throws(LedgerError) in
            try await store.scanRuns(flow, visit: visit)
        }
    }

    package func add(_ flows: [NewFlow]) async throws(LedgerError) {
        try await retrying(for: commits, clock) { () async throws(LedgerError) in try await store.add(flows) }
    }

    package func damage() async throws(LedgerError) -> [String] {
        try await retrying(for: reads, clock) { () async throws(LedgerError) in try await store.damage() }
    }

    package func close() async { await store.close() }

    /// Retries a scan until its first delivery to `visit`, because delivered rows cannot be withdrawn.
    private func retryingUntilVisited<Part>(
        _ visit: @escaping @Sendable (Part) -> Bool,
        _ scan: (@escaping @Sendable (Part) -> Bool) async throws(LedgerError) -> Void
    ) async throws(LedgerError) {
        let hasBegun = Mutex(false)
        let result = try await retrying(for: reads, clock) {
            () async throws(LedgerError) -> Result<Void, LedgerError> in
            do throws(LedgerError) {
                try await scan { part in
                    hasBegun.withLock { $0 = true }
                    return visit(part)
                }
                return .success(())
            } catch {
                guard hasBegun.withLock(\.self) else { throw error }
                return .failure(error)
            }
        }
        try result.get()
    }
}

/// The clock that measures retries, and their pauses. The simulation has a clock of its own.
package struct RetryClock: Sendable {
    /// The time since a fixed moment.
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async -> Void

    package init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// Creates the system's clock. Its pauses continue when the task is cancelled, because an interrupted apply must
    /// still record the requests it has sent.
    package init() {
        let start = ContinuousClock.now
        self.init(now: { .now - start }) { pause in
            await Task.detached { try? await Task.sleep(for: pause) }.value
        }
    }
}

/// Repeats a call while it throws a transient error, with pauses of 20 ms up to 1 s.
///
/// - Parameters:
///   - time: the maximum time until the last attempt begins.
///   - clock: the clock for the pauses.
///   - body: the call.
/// - Throws: the last error of `body`.
package func retrying<Value>(
    for time: Duration, _ clock: RetryClock = RetryClock(), _ body: () async throws(LedgerError) -> Value
) async throws(LedgerError) -> Value {
    let end = clock.now() + time
    var pause = Duration.milliseconds(20)
    while true {
        do throws(LedgerError) { return try await body() } catch {
            guard error.isTransient, clock.now() + pause < end else { throw error }
        }
        await clock.sleep(pause)
        pause = min(pause * 2, .seconds(1))
    }
}
