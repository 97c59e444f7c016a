import FlowRuns
import FlowService
import Ledger
import Manifests

/// The dependencies and settings of an apply, a refresh or a wait.
package struct ApplierContext: Sendable {
    package let store: any LedgerStore
    /// This machine's record of its claims.
    package let journal: any ClaimJournal
    package let service: any FlowService
    package let limits: Limits
    /// Whether the service lists runs at once and has no other clients, as the embedded simulator does.
    package let listsAtOnce: Bool
    package let time: any TimeSource
    /// The start of the command.
    package let startedAt: MonotonicInstant
    /// The name of this process in claims.
    package let owner: String
    /// Whether this machine already had a record of recent requests when the command started: a journal or a shared
    /// ledger.
    let hadJournal: Bool
    /// The retry policy for run requests that the service did not accept.
    let retryPolicy: RetryPolicy
    package let random: @Sendable () -> UInt64
    /// Ends the command after the requests in flight. Also set by errors that affect every flow (not authorised,
    /// service unavailable, ledger failure).
    package let stop: StopSignal
    package let report: @Sendable (ApplyEvent) -> Void

    /// The time after a claim within which the service must list its run.
    var listingLag: Duration { listsAtOnce ? .zero : limits.settle }

    package init(
        store: any LedgerStore, journal: any ClaimJournal = NoJournal(), service: any FlowService, limits: Limits,
        listsAtOnce: Bool = false, time: any TimeSource = SystemTime(), owner: String = "sluice",
        random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 0 ... .max) }, stop: StopSignal = StopSignal(),
        report: @escaping @Sendable (ApplyEvent) -> Void = { _ in }
    ) {
        self.store = store
        self.journal = journal
        self.service = service
        self.limits = limits
        self.listsAtOnce = listsAtOnce
        self.time = time
        startedAt = time.monotonic()
        hadJournal = store.isShared || journal.exists()
        retryPolicy = RetryPolicy(maxAttempts: 9, maxDelay: .seconds(30)) { Double(random() >> 11) * 0x1p-53 }
        self.owner = owner
        self.random = random
        self.stop = stop
        self.report = report
    }

    /// Returns the end of a flow when the service cannot be read. An unusable service affects every flow, so the other
    /// flows are stopped. An invalid answer about one flow holds only that flow.
    func end(for error: FlowServiceError) -> FlowEnd {
        switch error {
        case .stale: return .held(error.description)
        case .unreadable: return .unreadable(error.description)
        case .refused where error.scope == .flow: return .unreadable(error.description)
        case .unauthorized(let reason):
            stop.request()
            return .unauthorized(reason)
        case .stopped:
            stop.request()
            return .stopped
        case .unavailable(let reason):
            stop.request()
            return .unavailable(reason)
        case .malformed, .refused:
            stop.request()
            return .unavailable(error.description)
        }
    }

    /// Returns the end of a flow when the ledger fails. A run that the service lists under two flows holds only one of
    /// them.
    func end(for error: LedgerError) -> FlowEnd {
        switch error {
        case .runIDOfAnotherFlow, .runIDTaken: return .unreadable(error.description)
        default:
            stop.request()
            return .ledgerFailed(error)
        }
    }

    func end(for error: RefreshError) -> FlowEnd {
        switch error {
        case .ledger(let error): end(for: error)
        case .service(let error): end(for: error)
        }
    }

    /// Waits for `duration`, and reports the reason and the remaining time every second.
    ///
    /// - Throws: ``FlowEnd/stopped`` when a stop is requested.
    func wait(_ duration: Duration, for flow: FlowID, because reason: String) async throws(FlowEnd) {
        let until = time.monotonic() + duration
        var isFirst = true
        while !stop.isRequested {
            let left = until - time.monotonic()
            guard left > .zero else { return }
            report(isFirst ? .waiting(flow, left, reason: reason) : .stillWaiting(flow, left, reason: reason))
            isFirst = false
            await time.pause(min(left, .seconds(1)), unless: stop)
        }
        throw .stopped
    }

    /// Runs `body` for all items, with at most `parallelFlows` running concurrently. Returns the results in item order.
    func inParallel<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async -> Value
    ) async -> [Value] {
        await withTaskGroup(of: (Int, Value).self) { group in
            var values: [(index: Int, value: Value)] = []
            for (index, item) in items.enumerated() {
                if index >= limits.parallelFlows, let value = await group.next() { values.append(value) }
                group.addTask { (index, await body(item)) }
            }
            for await value in group { values.append(value) }
            return values.sorted { $0.index < $1.index }.map(\.value)
        }
    }

    /// Returns the maximum requests per claim: the number that one flow can send in half of `requestTimeout` while the
    /// given number of flows share the rate limit. Returns 1 where commits are cheap.
    func maxRequestsPerClaim(flows: Int) -> Int {
        guard store.isCommitCostly else { return 1 }
        let seconds = limits.requestTimeout / .seconds(2)
        let share = limits.requestsPerSecond / Double(max(1, min(flows, limits.parallelFlows)))
        return max(1, Int(min(seconds * share, 1_000)))
    }

    /// Returns a value that identifies one commit.
    func nonce() -> String { String(random(), radix: 36) }
}

/// Limits how many flows run concurrently; others queue in FIFO order.
actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = max(1, count) }

    func acquire() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func release() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
