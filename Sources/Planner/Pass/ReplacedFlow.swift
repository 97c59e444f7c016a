import FlowRuns

/// A flow that the planned one replaces, as the ledger has it.
package struct ReplacedFlow: Hashable, Sendable {
    package let record: FlowRecord
    package let runs: [RecordedRun]

    package init(record: FlowRecord, runs: [RecordedRun]) {
        self.record = record
        self.runs = runs
    }
}

extension [ReplacedFlow] {
    /// The runs of all, by window; those of unknown window first.
    var runsByWindow: [RecordedRun] {
        guard let first else { return [] }
        guard count > 1 else { return first.runs }
        return flatMap(\.runs).sorted { left, right in
            guard let leftWindow = left.window, let rightWindow = right.window else {
                return left.window == nil && right.window != nil
            }
            return leftWindow < rightWindow
        }
    }
}
