import FlowRuns
import Ledger
import Synchronization
import Testing

@Suite("Retries of a store")
struct RetryingStoreTests {
    private static let commit = FlowCommit(
        expecting: Revision(), record: FlowRecord(id: Sample.flow, revision: Revision(number: 1, token: "n")),
        changes: [])

    @Test(
        "a call is repeated after a transient error only",
        arguments: [
            (LedgerError.unanswered("lost"), 4), (.unavailable("starting"), 4), (.busy("locked"), 1),
            (.unusable("denied"), 1),
        ])
    func transient(error: LedgerError, calls: Int) async throws {
        let store = FailingStore(failures: 3, error)
        let result = try? await store.retrying(reads: .zero, commits: .seconds(10)).commit(Self.commit)
        #expect(result == (calls == 1 ? nil : .done))
        #expect(store.calls == calls)
    }

    @Test("the last error is thrown when the time is over, which differs between reads and commits")
    func limits() async throws {
        let store = FailingStore(failures: .max, .unanswered("lost"))
        let retrying = store.retrying(reads: .zero, commits: .seconds(5))
        await #expect(throws: LedgerError.unanswered("lost")) { _ = try await retrying.flows() }
        #expect(store.calls == 1)
        await #expect(throws: LedgerError.unanswered("lost")) { _ = try await retrying.commit(Self.commit) }
        // Six pauses of 20 ms to 640 ms, and three of 1 s.
        #expect(store.calls == 1 + 10)
    }

    @Test("a scan is repeated until its first delivery", arguments: [(false, 4), (true, 1)])
    func scans(deliversFirst: Bool, calls: Int) async throws {
        let store = FailingStore(failures: 3, .unanswered("lost"), deliversFirst: deliversFirst)
        let visits = Mutex(0)
        let result: Void? = try? await store.retrying(reads: .seconds(10), commits: .zero).scan(Sample.flow) { _ in
            visits.withLock { $0 += 1 }
            return true
        }
        #expect((result == nil) == deliversFirst)
        #expect(visits.withLock(\.self) == 1)
        #expect(store.calls == calls)
    }
}

/// A store whose first calls fail.
private final class FailingStore: LedgerStore {
    private let store = InMemoryStore()
    private let count = Mutex(0)
    private let elapsed = Mutex(Duration.zero)
    private let failures: Int
    private let error: LedgerError
    private let deliversFirst: Bool

    init(failures: Int, _ error: LedgerError, deliversFirst: Bool = false) {
        self.failures = failures
        self.error = error
        self.deliversFirst = deliversFirst
    }

    var calls: Int { count.withLock(\.self) }

    /// Wraps the store, with a clock that moves only in pauses.
    func retrying(reads: Duration, commits: Duration) -> RetryingStore {
        RetryingStore(
            self, reads: reads, commits: commits,
            clock: RetryClock(
                now: { self.elapsed.withLock(\.self) }, sleep: { pause in self.elapsed.withLock { $0 += pause } }))
    }

    private func fail() throws(LedgerError) {
        let calls = count.withLock { count in
            count += 1
            return count
        }
        if calls <= failures { throw error }
    }

    func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        try fail()
        return try store.commit(commit)
    }

    func flows() async throws(LedgerError) -> [FlowRecord] {
        try fail()
        return try store.flows()
    }

    func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot { try await store.snapshot(of: flow) }
    func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries { try await store.entries(of: flow) }

    func scan(_ flow: FlowID, visit: @escaping @Sendable (FlowEntries) -> Bool) async throws(LedgerError) {
        let entries = FlowEntries(record: FlowRecord(id: flow), entries: [])
        if deliversFirst { _ = visit(entries) }
        try fail()
        if !deliversFirst { _ = visit(entries) }
    }

    func damage() async throws(LedgerError) -> [String] { [] }
    func close() async {}
}
