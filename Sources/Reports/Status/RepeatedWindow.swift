import FlowRuns
import Manifests
import Planner

/// A window that was ingested more often than its manifest declares.
package struct RepeatedWindow: Hashable, Sendable {
    let window: Window
    /// Every run of it that the service took and that has not failed, oldest first.
    let runs: [RecordedRun]
    /// One for the window itself and one for each of its declared reruns.
    let declared: Int

    var runIDs: String { runs.map { $0.id?.description ?? "a run without an id" }.listed }

    /// `2 runs did not fail, 1 is declared`
    var inWords: String {
        "\(counted(runs.count, "run")) did not fail, \(counted(declared, "is", "are")) declared"
    }
}

extension FlowDeclaration {
    /// By window. Runs that the manifest acknowledges without a window count for nothing.
    ///
    /// - Parameter runs: every recorded run of the flow.
    package func repeatedWindows(in runs: [RecordedRun]) -> [RepeatedWindow] {
        let acknowledged = acknowledged.somebodyElses
        var taken: [Window: [RecordedRun]] = [:]
        for run in runs where run.state.isAccepted && run.state != .failed && !retries.include(run) {
            guard let window = run.window, !run.isSomebodyElses(acknowledged) else { continue }
            taken[window, default: []].append(run)
        }
        let ranges = reruns.filter(\.isRange)
        let reruns = Dictionary(grouping: reruns.filter { !$0.isRange }, by: \.window)
        return taken.compactMap { window, runs in
            let declared = 1 + (reruns[window]?.count ?? 0) + ranges.count { $0.touches(window) }
            guard runs.count > declared else { return nil }
            return RepeatedWindow(
                window: window, runs: runs.sorted { $0.recordedAt < $1.recordedAt }, declared: declared)
        }.sorted { $0.window < $1.window }
    }
}
