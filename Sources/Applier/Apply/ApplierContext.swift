import FlowRuns
import FlowService
import Ledger
import Manifests

/// What an apply, a refresh and a wait work with.
package struct ApplierContext: Sendable {
    package let store: any LedgerStore
    /// This machine's own record of its claims.
    package let journal: any ClaimJournal
    package let service: any FlowService
    package let limits: Limits
    /// The embedded service lists a run at once, and nobody else uses it.
    package let listsAtOnce: Bool
    package let time: any TimeSource
    /// When the command began.
    package let startedAt: MonotonicInstant
    /// This process, as claims name it.
    package let owner: String
    /// Whether this machine had a record of recent requests when the command began: its journal, or a shared ledger.
    let hadJournal: Bool
    /// How often and when a request that was not taken is sent again.
    let retryPolicy: RetryPolicy
    package let random: @Sendable () -> UInt64
    /// Asks for an end after what is in flight; also set when an error concerns every flow (not authorised, service
    /// gone, ledger broken).
    package let stop: StopSignal
    package let report: @Sendable (ApplyEvent) -> Void

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
        retryPolicy = RetryPolicy(maxAttempts: 9, longestDelay: .seconds(30)) { Double(random() >> 11) * 0x1p-53 }
        self.owner = owner
        self.random = random
        self.stop = stop
        self.report = report
    }

    /// How a flow ends when the service cannot be read. An unusable service concerns every flow, so the others are stopped;
    /// an answer about one flow that makes no sense holds that flow only.
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
        case .unavailable, .malformed, .refused:
            stop.request()
            return .unavailable(error.description)
        }
    }

    /// How a flow ends when the ledger fails. A run that the service lists under two flows holds one of them only.
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

    /// Waits, and says why and how much longer, until the time is over or a stop is requested.
    ///
    /// - Throws: ``FlowEnd/stopped``.
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

    /// The results for all items, in their order, no more than `parallelFlows` of them under way at once.
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

    /// As many requests of one flow as can be sent in half of the time limit, while so many flows share the rate; one
    /// where a commit is cheap.
    func maxRequestsPerClaim(flows: Int) -> Int {
        guard store.isCommitCostly else { return 1 }
        let seconds = limits.requestTimeout / .seconds(2)
        let share = limits.requestsPerSecond / Double(max(1, min(flows, limits.parallelFlows)))
        return max(1, Int(min(seconds * share, 1_000)))
    }

    /// Unique to a commit.
    func nonce() -> String { String(random(), radix: 36) }
}

/// So many flows are at work at once; the others wait in the order in which they came.
actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = max(1, count) }

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
