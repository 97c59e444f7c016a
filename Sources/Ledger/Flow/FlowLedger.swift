import FlowRuns

/// What the ledger promises of one flow, as a pure value: it takes a snapshot and what happened, and gives the changes
/// to commit.
///
/// - At most one claim is open. It covers one request, or several that are sent one after another.
/// - A window and rerun have at most one request that is under way or has brought its records.
/// - A run moves only along the arrows of `RunState.canBecome`.
/// - A claim without an answer is settled once: see ``observe(_:settling:at:)``.
package struct FlowLedger: Sendable {
    /// The flow's record. Its revision is that of the snapshot until ``commit(nonce:)`` assigns a new one.
    package internal(set) var record: FlowRecord
    /// The flow's runs, in the order of `RunIdentity`.
    package private(set) var runs: [RecordedRun]
    private var index: RunIndex

    /// The revision that the next commit expects.
    package private(set) var base: Revision
    private(set) var changes: [LedgerChange] = []
    private var recordBefore: FlowRecord
    /// Whether anything changed that planning reads. Only then does the revision's number count up, so that a refresh
    /// does not make a saved plan stale for nothing.
    private var isPlanningChanged = false

    package init(_ snapshot: FlowSnapshot) {
        record = snapshot.record
        runs = snapshot.runs
        index = RunIndex(snapshot.runs)
        base = snapshot.record.revision
        recordBefore = snapshot.record
    }

    /// Returns the ledger of a flow without a record.
    package static func empty(_ flow: FlowID) -> FlowLedger {
        FlowLedger(FlowSnapshot(record: FlowRecord(id: flow), runs: []))
    }

    package var id: FlowID { record.id }

    /// The requests of the open claim; empty when there is none.
    package var openRequests: [RecordedRun] { index.open }

    /// The ids of all runs that have one.
    package var runIDs: Set<RunID> { index.ids }

    /// Whether requests were made under this claim.
    package func contains(_ claim: ClaimID) -> Bool { index.claims.contains(claim) }

    package func run(_ identity: RunIdentity) -> RecordedRun? {
        let position = runs.position(of: identity)
        return position < runs.count && runs[position].identity == identity ? runs[position] : nil
    }

    package func run(_ id: RunID) -> RecordedRun? { index.ids.contains(id) ? runs.first { $0.id == id } : nil }

    // MARK: Commit

    /// Whether there is anything to commit.
    package var hasChanges: Bool { !changes.isEmpty || record != recordBefore }

    /// The changes since the snapshot or the last commit.
    ///
    /// - Parameter nonce: unique to this commit; it becomes the token of the new revision.
    package func commit(nonce: String) -> FlowCommit {
        var record = record
        let number = isPlanningChanged || base.number == 0 ? base.number + 1 : base.number
        record.revision = Revision(number: number, token: nonce)
        return FlowCommit(expecting: base, record: record, changes: changes)
    }

    /// The same ledger when a commit of it was made.
    package mutating func committed(_ commit: FlowCommit) {
        record = commit.record
        base = commit.record.revision
        recordBefore = record
        changes = []
        isPlanningChanged = false
    }

    // MARK: Rows

    mutating func insert(_ entry: LedgerEntry) {
        runs.insert(entry.run, at: runs.position(of: entry.run.identity))
        index.add(entry.run)
        changes.append(.insert(entry))
        isPlanningChanged = true
    }

    mutating func update(_ identity: RunIdentity, _ update: RunUpdate, at now: Timestamp) throws(LedgerError) {
        let position = runs.position(of: identity)
        guard position < runs.count, runs[position].identity == identity else {
            throw .unknownRun(identity)
        }
        var run = runs[position]
        try run.apply(update)
        // The end of a run changes no approved request, so it does not make a saved plan stale.
        if run != runs[position], !(runs[position].state.isAccepted && run.identity == identity) {
            isPlanningChanged = true
        }
        index.remove(runs[position])
        index.add(run)
        if run.identity == identity {
            runs[position] = run
        } else {
            runs.remove(at: position)
            runs.insert(run, at: runs.position(of: run.identity))
        }
        changes.append(.update(identity, update, at: now))
    }

    mutating func remove(_ identity: RunIdentity) {
        let position = runs.position(of: identity)
        guard position < runs.count, runs[position].identity == identity else { return }
        index.remove(runs.remove(at: position))
        changes.append(.remove(identity))
        isPlanningChanged = true
    }

    /// Sets what the flow's record says. The number of its revision counts up where planning reads it.
    mutating func amend(_ change: (inout FlowRecord) -> Void) {
        let before = record
        change(&record)
        if before.deltaColumn != record.deltaColumn || (before.contactedAt == nil) != (record.contactedAt == nil) {
            isPlanningChanged = true
        }
    }

    /// The column in the flow's own `Copy` transformation; `nil` keeps what is recorded.
    package mutating func record(column: DeltaColumn?) {
        if let column { amend { $0.deltaColumn = column } }
    }

    /// The identity of the next attempt at a window and rerun.
    func nextIdentity(window: Window?, rerun: String? = nil) -> RunIdentity {
        let key = RunKey(flow: id, window: window, rerun: rerun)
        let last = runs.attempts(at: key).last?.identity.attempt ?? 0
        return RunIdentity(key, attempt: last + 1)
    }
}

/// An index of a flow's runs for the questions that come up with each request. Without it, the millionth request would
/// be slower than the first.
private struct RunIndex: Sendable {
    /// The runs whose answer is unknown, in ledger order.
    private(set) var open: [RecordedRun] = []
    /// The IDs of all runs that have one.
    private(set) var ids: Set<RunID> = []
    /// The claims under which runs were requested.
    private(set) var claims: Set<ClaimID> = []

    init(_ runs: [RecordedRun]) {
        ids.reserveCapacity(runs.count)
        claims.reserveCapacity(runs.count)
        for run in runs { add(run) }
    }

    mutating func add(_ run: RecordedRun) {
        if run.state.isDoubtful { open.insert(run, at: open.position(of: run.identity)) }
        if let id = run.id { ids.insert(id) }
        if let claim = run.claim { claims.insert(claim.id) }
    }

    /// Removes a run. Its claim stays known, because the claim may cover further requests.
    mutating func remove(_ run: RecordedRun) {
        if run.state.isDoubtful { open.removeAll { $0.identity == run.identity } }
        if let id = run.id { ids.remove(id) }
    }
}
