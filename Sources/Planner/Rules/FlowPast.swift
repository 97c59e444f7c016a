import FlowRuns

/// A flow's past with respect to its delta column: the middle column of the delta-column rule's table.
package enum FlowPast: Hashable, Sendable {
    /// The flow has no run, or only requests that the service did not accept. `own` is the column of the flow itself.
    case neverRan(own: DeltaColumn?)
    /// The flow has an accepted run. Carries the column, if known, and the run that fixed it.
    case ran(DeltaColumn?, since: RecordedRun)
    /// The flow has no accepted run, but one that may have been accepted.
    case inDoubt

    /// Sums up the ledger's record and runs of a flow.
    ///
    /// - Parameters:
    ///   - record: the ledger's record of the flow, apart from its runs.
    ///   - runs: all of the flow's runs, in any order.
    package init(record: FlowRecord, runs: some Sequence<RecordedRun>) {
        var summary = RunsInSummary()
        for run in runs { summary.add(run) }
        self = summary.past(of: record)
    }
}

/// The few runs that matter to the whole flow, collected during the pass.
struct RunsInSummary {
    private var firstAccepted: RecordedRun?
    private var firstWithColumn: RecordedRun?
    /// The first run in doubt, in the order of the windows.
    private(set) var firstDoubt: RecordedRun?

    mutating func add(_ run: RecordedRun) {
        if run.state.isDoubtful, firstDoubt == nil { firstDoubt = run }
        guard run.state.isAccepted else { return }
        if run.isEarlier(than: firstAccepted) { firstAccepted = run }
        if run.deltaColumn != nil, run.isEarlier(than: firstWithColumn) { firstWithColumn = run }
    }

    /// Returns the flow's past. The flow's own column takes precedence over the one that a request carried.
    func past(of record: FlowRecord) -> FlowPast {
        if let firstAccepted {
            .ran(record.deltaColumn ?? firstWithColumn?.deltaColumn, since: firstWithColumn ?? firstAccepted)
        } else if firstDoubt != nil {
            .inDoubt
        } else {
            .neverRan(own: record.deltaColumn)
        }
    }
}

extension RecordedRun {
    fileprivate func isEarlier(than other: RecordedRun?) -> Bool {
        guard let other else { return true }
        return recordedAt < other.recordedAt
    }
}
