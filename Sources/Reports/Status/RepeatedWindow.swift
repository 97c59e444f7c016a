import FlowRuns
import Manifests
import Planner

/// A window that was ingested more often than its manifest declares, or the time that two overlapping windows share.
package struct RepeatedWindow: Hashable, Sendable {
    let window: Window
    /// The accepted runs that have not failed: of the window, oldest first, or of the two overlapping windows, in window
    /// order.
    let runs: [RecordedRun]
    /// The declared number of runs: one for the window, and one for each of its reruns.
    let declared: Int

    var runIDs: String { runs.map { $0.id?.description ?? "a run without an id" }.listed }

    /// The two counts, such as `ingested 2 times, declared once`.
    var inWords: String {
        isOfOneWindow
            ? "ingested \(times(runs.count)), declared \(times(declared))"
            : "ingested by \(runs.count) runs of different windows"
    }

    private func times(_ count: Int) -> String { count == 1 ? "once" : count == 2 ? "twice" : "\(count) times" }

    /// Whether the runs are of the window itself, and not of two windows that overlap.
    var isOfOneWindow: Bool { runs.allSatisfy { $0.window == window } }

    /// The runs to acknowledge, so that the others are as many as declared: the latest ones found on the service, or the
    /// longer one of two windows.
    var surplus: [RecordedRun] {
        guard isOfOneWindow else {
            return [runs.max { ($0.window?.length ?? .zero) < ($1.window?.length ?? .zero) }].compactMap(\.self)
        }
        return runs.filter { $0.origin == .service }.suffix(runs.count - declared)
    }
}

extension FlowPlan {
    /// The times that runs of different windows ingested twice.
    var repeatedTimes: [RepeatedWindow] {
        ingestedTwice.map { RepeatedWindow(window: $0.window, runs: $0.runs, declared: 1) }
    }
}

extension FlowDeclaration {
    /// Finds the windows that were ingested more often than declared, in window order.
    ///
    /// Runs that the manifest acknowledges without a window do not count.
    ///
    /// - Parameter runs: All recorded runs of the flow.
    package func repeatedWindows(in runs: [RecordedRun]) -> [RepeatedWindow] {
        let acknowledged = acknowledged.foreignRunIDs
        var completedRuns: [Window: [RecordedRun]] = [:]
        for run in runs where run.state.isAccepted && run.state != .failed && !retries.includes(run) {
            guard let window = run.window, !run.isForeign(acknowledged) else { continue }
            completedRuns[window, default: []].append(run)
        }
        let ranges = reruns.filter(\.isRange)
        let reruns = Dictionary(grouping: reruns.filter { !$0.isRange }, by: \.window)
        return completedRuns.compactMap { window, runs in
            let declared = 1 + (reruns[window]?.count ?? 0) + ranges.count { $0.touches(window) }
            guard runs.count > declared else { return nil }
            return RepeatedWindow(
                window: window, runs: runs.sorted { $0.recordedAt < $1.recordedAt }, declared: declared)
        }.sorted { $0.window < $1.window }
    }
}
