import FlowRuns
import Manifests

extension FlowDeclaration {
    /// The recorded runs, each under the rerun that a plan counts it as: of runs that nobody recorded, as after a lost
    /// ledger, some may be declared reruns.
    ///
    /// - Parameter runs: all of the flow's, sorted by window.
    package func counted(_ runs: [RecordedRun]) -> [RecordedRun] {
        guard !reruns.isEmpty, runs.contains(where: { $0.origin == .service }) else { return runs }
        let acknowledged = acknowledged.somebodyElses
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
