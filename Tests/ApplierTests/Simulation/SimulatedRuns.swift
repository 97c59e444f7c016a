import FlowRuns
import FlowService
import FlowServiceSimulator
import Manifests

extension SimulatedRun {
    /// Whether the run currently reports a failure.
    func hasFailed(at now: Timestamp) -> Bool { stage(at: now) == .ended && outcome(at: now) == .failed }

    /// Whether the run reports, or once reported, an end that allows a retry.
    func mayBeFollowed(at now: Timestamp, _ retries: Retries) -> Bool {
        guard stage(at: now) == .ended else { return false }
        return [outcome(at: now), lateEnd?.first].contains { $0.map { $0.isRetried(by: retries) } ?? false }
    }
}

extension ObservedRun {
    /// As the client of the service reads the simulator's answer.
    ///
    /// - Parameter tellsCounts: whether the service reports record counts.
    init(_ run: SimulatedRun, in sandbox: SimulatedSandbox, at now: Timestamp, tellsCounts: Bool) {
        let end: RunEnd? =
            switch (run.stage(at: now), run.outcome(at: now)) {
            case (.ended, .failed): RunEnd(state: .failed, failure: "failed")
            case (.ended, .partial): RunEnd(state: .partial, failure: "partial")
            case (.ended, _): RunEnd(state: .succeeded)
            default: nil
            }
        self.init(
            id: RunID(run.id)!, window: sandbox.listedWindow(of: run, at: now), createdAt: run.createdAt,
            createdClient: sandbox.configuration.listsClient ? run.client : nil, status: run.status(at: now), end: end,
            counts: tellsCounts ? run.counts(at: now) : RunCounts())
    }
}

extension SimulatedRun {
    fileprivate func counts(at now: Timestamp) -> RunCounts {
        guard stage(at: now) == .ended else { return RunCounts() }
        let isLate = lateEnd.map { now < endsAt + $0.delay } ?? false
        if isLate, lateEnd?.first != .failed {
            return lateEnd?.first == .empty
                ? RunCounts(inputRecords: 0, outputRecords: 0, failedRecords: 0) : RunCounts()
        }
        let read = Int64(records.read)
        let failed = outcome(at: now) == .failed ? read : Int64(records.failed)
        return RunCounts(inputRecords: read, outputRecords: read - failed, failedRecords: failed)
    }
}

extension SimulatedOutcome {
    func isRetried(by retries: Retries) -> Bool {
        switch self {
        case .success: false
        case .partial: retries.states.contains(.partial)
        case .failed: retries.states.contains(.failed)
        case .empty: retries.states.contains(.empty)
        }
    }
}

extension ListedRun {
    init(_ run: SimulatedRun, in sandbox: SimulatedSandbox, at now: Timestamp, tellsCounts: Bool) {
        self.init(flow: run.flow, run: ObservedRun(run, in: sandbox, at: now, tellsCounts: tellsCounts))
    }
}
