import FlowRuns
import FlowService
import FlowServiceSimulator

extension SimulatedRun {
    /// A run that failed may be retried, and so may one that succeeded with no records.
    func hasFailed(at now: Timestamp) -> Bool { stage(at: now) == .ended && outcome == .failed }
}

extension ObservedRun {
    /// As the client of the service reads the simulator's answer.
    init(_ run: SimulatedRun, in sandbox: SimulatedSandbox, at now: Timestamp) {
        let end: RunEnd? =
            switch (run.stage(at: now), run.outcome) {
            case (.ended, .failed): RunEnd(state: .failed, failure: "failed")
            case (.ended, .partial): RunEnd(state: .partial, failure: "partial")
            case (.ended, _): RunEnd(state: .succeeded)
            default: nil
            }
        self.init(
            id: RunID(run.id)!, window: sandbox.listedWindow(of: run, at: now), createdAt: run.createdAt,
            createdClient: sandbox.configuration.tellsClient ? run.client : nil, status: run.status(at: now), end: end)
    }
}

extension ListedRun {
    init(_ run: SimulatedRun, in sandbox: SimulatedSandbox, at now: Timestamp) {
        self.init(flow: run.flow, run: ObservedRun(run, in: sandbox, at: now))
    }
}
