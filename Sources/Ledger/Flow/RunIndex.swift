import FlowRuns

/// What of a flow's runs is asked for with each request: looking through all of them would make the millionth request
/// slower than the first.
struct RunIndex: Sendable {
    /// Those whose answer is not known, in the order of the ledger.
    private(set) var open: [RecordedRun] = []
    /// Of every run that has one.
    private(set) var ids: Set<RunID> = []
    /// Under which runs were requested.
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
