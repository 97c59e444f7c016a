import FlowRuns

/// What a flow's recorded runs say of its delta column: the middle column of the delta-column rule.
package enum FlowPast: Hashable, Sendable {
    /// No run, or only requests that the service did not take. `own` is the column that the flow itself has.
    case neverRan(own: DeltaColumn?)
    /// At least one accepted run: the column, if it is known, and the run that fixed it.
    case ran(DeltaColumn?, since: RecordedRun)
    /// No accepted run, but one that may have been taken.
    case inDoubt

    /// Sums up what the ledger has of a flow.
    ///
    /// - Parameter runs: all of the flow's runs, in any order.
    package init(record: FlowRecord, runs: some Sequence<RecordedRun>) {
        var summary = RunsInSummary()
        for run in runs { summary.add(run) }
        self = summary.past(of: record)
    }
}

/// The few runs of a flow that matter to all of it, found while they go by.
struct RunsInSummary {
    private var firstAccepted: RecordedRun?
    private var firstWithColumn: RecordedRun?
    /// In the order of the windows.
    private(set) var firstDoubt: RecordedRun?

    mutating func add(_ run: RecordedRun) {
        if run.state.isDoubtful, firstDoubt == nil { firstDoubt = run }
        guard run.state.isAccepted else { return }
        if run.isEarlier(than: firstAccepted) { firstAccepted = run }
        if run.deltaColumn != nil, run.isEarlier(than: firstWithColumn) { firstWithColumn = run }
    }

    /// The flow's own column wins over the one that a request carried.
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
