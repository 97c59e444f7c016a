import FlowRuns
import Manifests
import Text

/// A flow that the planned flow comes after, with the state of its runs over time.
package struct Predecessor: Hashable, Sendable {
    private let title: String
    /// The time that is declared and not requested yet.
    private let missing: CoveredIntervals
    private let underWay: CoveredIntervals
    /// The runs that have not ended, in words. Names the oldest, which may be one that never reports its end.
    private let notEnded: String
    private let succeeded: CoveredIntervals
    private let failed: CoveredIntervals

    /// Sums up the runs of a predecessor.
    ///
    /// - Parameters:
    ///   - declaration: the declaration of the predecessor.
    ///   - plan: the plan of the predecessor.
    ///   - runs: the recorded runs of the predecessor and of the flows that it replaces.
    package init(_ declaration: FlowDeclaration, _ plan: FlowPlan, runs: some Sequence<RecordedRun>) {
        title = declaration.title
        missing = CoveredIntervals(plan.actions.map(\.window) + plan.held.map(\.window))
        let acknowledged = declaration.acknowledged.foreignRunIDs
        let acknowledgedWindows = declaration.acknowledged.declaredWindows
        let tooFew = Set(declaration.runsWithTooFewRecords(in: runs).compactMap(\.id))
        var underWay: [(run: RecordedRun, window: Window)] = []
        var succeeded: [Window] = []
        var failed: [Window] = []
        for run in runs {
            guard let window = run.window ?? run.id.flatMap({ acknowledgedWindows[$0] }) else { continue }
            switch run.state {
            // A run that never reports its end is over when a person acknowledges it.
            case .accepted where run.id.map(acknowledged.contains) ?? false: succeeded.append(window)
            case .intended, .inDoubt, .accepted: underWay.append((run, window))
            case .succeeded where !(run.id.map(tooFew.contains) ?? false): succeeded.append(window)
            case .succeeded, .partial, .failed: failed.append(window)
            case .rejected, .released: break
            }
        }
        self.underWay = CoveredIntervals(underWay.map(\.window))
        let oldest = underWay.map(\.run).min { $0.recordedAt < $1.recordedAt }
            .map { "\($0.inWords), made at \($0.recordedAt)" }
        notEnded =
            underWay.count < 2
            ? "whose \(oldest ?? "run"), has not ended"
            : "\(underWay.count.grouped) of whose runs have not ended; the oldest is \(oldest ?? "unknown")"
        self.succeeded = CoveredIntervals(succeeded)
        self.failed = CoveredIntervals(failed)
    }

    /// Returns the reason why a window must wait for this flow, in words that many windows share; `nil` if it need not
    /// wait.
    func blockingReason(to window: Window) -> String? {
        if underWay.overlaps(window) { return "waits for \(title), \(notEnded)" }
        if missing.overlaps(window) { return "waits for \(title), which is not requested yet" }
        if succeeded.contains(window) { return nil }
        if failed.overlaps(window) { return "waits for \(title), whose run has not succeeded" }
        return "waits for \(title), which has no due window there"
    }
}
