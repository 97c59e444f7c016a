import FlowRuns

/// An index of a flow's runs for the questions that come up with each request. Without it, the millionth request would
/// be slower than the first.
struct RunIndex: Sendable {
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
