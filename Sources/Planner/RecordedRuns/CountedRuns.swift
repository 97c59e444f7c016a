import FlowRuns
import Manifests

extension FlowDeclaration {
    /// Returns the recorded runs, each under the rerun for which a plan counts it. Runs from outside this ledger, as
    /// after a ledger was lost, may be declared reruns.
    ///
    /// - Parameter runs: all runs of the flow, sorted by window.
    package func counted(_ runs: [RecordedRun]) -> [RecordedRun] {
        guard !reruns.isEmpty, runs.contains(where: { $0.origin == .service }) else { return runs }
        let acknowledged = acknowledged.foreignRunIDs
        let reruns = reruns.sorted { $0.place < $1.place }
        var counted: [RecordedRun] = []
        var rest = runs[...]
        while let first = rest.first {
            let group = rest.prefix { $0.window == first.window }
            rest = rest.dropFirst(group.count)
            var history = WindowHistory()
            if let window = first.window {
                for run in group { history.add(run) }
                history.count(
                    for: reruns.filter { $0.touches(window) }.map(\.id), retries,
                    acknowledged: acknowledged)
            }
            counted += group.map { run in
                guard let rerun = history.rerunsOfUnrecorded[run.identity] else { return run }
                return run.identified(
                    as: RunIdentity(flow: run.flow, window: run.window, rerun: rerun, attempt: run.identity.attempt))
            }
        }
        return counted
    }
}
