import FlowRuns

/// A flow that the planned flow replaces, as recorded in the ledger.
package struct ReplacedFlow: Hashable, Sendable {
    package let record: FlowRecord
    package let runs: [RecordedRun]

    package init(record: FlowRecord, runs: [RecordedRun]) {
        self.record = record
        self.runs = runs
    }
}

extension [ReplacedFlow] {
    /// The runs of all replaced flows, sorted by window; runs of unknown window come first.
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
