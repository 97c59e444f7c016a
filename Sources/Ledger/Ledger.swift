import FlowRuns

/// The durable record of every run request of one target, written before the request leaves.
///
/// A store (SQLite, PostgreSQL) conforms to it; everything that must hold whatever the store is written against it.
/// Every call is one transaction: done wholly, durable when it returns, or not at all.
package protocol Ledger: Sendable {
    /// Locks a flow against other appliers, in this process and every other, until the lock is released or its
    /// process ends.
    ///
    /// - Returns: `nil` when another applier holds the flow.
    func lock(_ flow: FlowID) async throws(LedgerError) -> (any FlowLock)?

    /// What is known of the flow besides its runs; revision 0 when nothing is.
    func record(of flow: FlowID) async throws(LedgerError) -> FlowRecord

    /// Every run of the flow, sorted by window, rerun and attempt; runs of unknown window first.
    func runs(of flow: FlowID) async throws(LedgerError) -> [RecordedRun]

    /// Claims a window: commits the `intended` row.
    ///
    /// - Returns: the state of the row that is in the way when the same identity, or another living request for the
    ///   same window and rerun, is recorded already; `nil` when the claim was made.
    func claim(_ claim: Claim) async throws(LedgerError) -> RunState?

    /// Starts the time limit of one's own claim anew, after the service surely did not take the request.
    ///
    /// - Parameter claimedAt: when the caller claimed it, as it knows.
    /// - Returns: `false` when the row is no longer `intended` since then: somebody else has dealt with it, and it must
    ///   not be sent.
    func renew(
        _ identity: RunIdentity, claimedAt: Timestamp, now: Timestamp
    ) async throws(LedgerError) -> Bool

    /// Calls off a request that the service surely did not take: its window may be claimed again.
    ///
    /// - Parameter claimedAt: of the claim that was found to be void. Its owner may have renewed it meanwhile, and be
    ///   about to send.
    /// - Returns: `false` when the row is no longer doubtful since then, and nothing was changed.
    func release(
        _ identity: RunIdentity, claimedAt: Timestamp, reason: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool

    /// Moves a run along one of the arrows of ``RunState/canBecome(_:)``.
    ///
    /// - Throws: ``LedgerError/illegalMove(_:from:to:)`` for any other move.
    func conclude(
        _ identity: RunIdentity, _ conclusion: Conclusion, at now: Timestamp
    ) async throws(LedgerError)

    /// Records what the service itself says of a flow: its column, and its runs. A run whose id is known is moved to
    /// its new state (if an arrow leads there); an unknown one is added with origin `service`.
    func observe(_ observation: Observation) async throws(LedgerError)

    /// The full rows of the flows, or of all flows of the target, in the order of ``runs(of:)``, flow by flow.
    func entries(of flows: [FlowID]?) async throws(LedgerError) -> [LedgerEntry]

    /// Every flow that the ledger knows for its target, sorted.
    func flows() async throws(LedgerError) -> [FlowRecord]

    /// Puts back exported entries and flow records. All or nothing.
    ///
    /// - Throws: ``LedgerError/importConflict(_:)`` when an entry disagrees with what is recorded already. The same
    ///   entry twice is not a conflict.
    func restore(_ flows: [FlowRecord], _ entries: [LedgerEntry]) async throws(LedgerError)

    /// Checks the store itself (SQLite's `integrity_check`), in words; empty when it is sound.
    func storeFaults() async throws(LedgerError) -> [String]

    /// Ends the use of the store. Idempotent.
    func close() async
}

/// A flow kept from every other applier. Released explicitly, or when its process ends, however it ends.
package protocol FlowLock: Sendable {
    /// When the flow was last claimed by this machine, if that claim is not in this ledger: the ledger was lost, or an
    /// older copy was put back. Its run may have been taken, and not be listed by the service yet.
    var strangeClaimAt: Timestamp? { get }

    func release() async
}

extension FlowLock {
    /// What a store that is nobody's file cannot miss.
    package var strangeClaimAt: Timestamp? { nil }
}

/// What claiming a window writes: the request, before it leaves.
package struct Claim: Hashable, Sendable {
    package let identity: RunIdentity
    package let deltaColumn: DeltaColumn?
    /// The exact request: `POST /runs` and its body, or the address of the re-trigger.
    package let request: String
    package let claimedAt: Timestamp
    package let provenance: Provenance

    package init(
        identity: RunIdentity, deltaColumn: DeltaColumn?, request: String, claimedAt: Timestamp,
        provenance: Provenance
    ) {
        self.identity = identity
        self.deltaColumn = deltaColumn
        self.request = request
        self.claimedAt = claimedAt
        self.provenance = provenance
    }
}

/// Who asked for a run: where it is declared, and what the environment tells of commit, author and CI run.
package struct Provenance: Hashable, Sendable {
    package var file: String?
    package var line: Int?
    package var commit: String?
    package var author: String?
    /// The address of the CI run.
    package var ciRun: String?

    package init(
        file: String? = nil, line: Int? = nil, commit: String? = nil, author: String? = nil, ciRun: String? = nil
    ) {
        self.file = file
        self.line = line
        self.commit = commit
        self.author = author
        self.ciRun = ciRun
    }
}

/// What became of a request.
package enum Conclusion: Hashable, Sendable {
    /// The service took it: from its answer, or found among its runs.
    case accepted(RunID, response: String?)
    /// A definite refusal, or one's own claim given up before anything was sent.
    case rejected(reason: String, response: String?)
    case inDoubt(reason: String, response: String?)
    case released(reason: String)
    case ended(RunEnd)

    package var state: RunState {
        switch self {
        case .accepted: .accepted
        case .rejected: .rejected
        case .inDoubt: .inDoubt
        case .released: .released
        case .ended(let end): end.state
        }
    }
}

/// What the service says of a flow at one moment.
package struct Observation: Hashable, Sendable {
    package let flow: FlowID
    /// The column in the flow's own `Copy` transformation; `nil` keeps what is recorded.
    package let deltaColumn: DeltaColumn?
    package let runs: [ObservedRun]
    package let observedAt: Timestamp

    package init(flow: FlowID, deltaColumn: DeltaColumn?, runs: [ObservedRun], observedAt: Timestamp) {
        self.flow = flow
        self.deltaColumn = deltaColumn
        self.runs = runs
        self.observedAt = observedAt
    }
}

/// A whole row of the ledger, for history, export and import.
package struct LedgerEntry: Hashable, Sendable {
    package var run: RecordedRun
    package var request: String?
    package var response: String?
    /// The service's own word for where the run stands.
    package var status: String?
    package var counts: RunCounts
    /// When the row last changed.
    package var updatedAt: Timestamp
    package var provenance: Provenance

    package init(
        run: RecordedRun, request: String? = nil, response: String? = nil, status: String? = nil,
        counts: RunCounts = RunCounts(), updatedAt: Timestamp, provenance: Provenance = Provenance()
    ) {
        self.run = run
        self.request = request
        self.response = response
        self.status = status
        self.counts = counts
        self.updatedAt = updatedAt
        self.provenance = provenance
    }
}
