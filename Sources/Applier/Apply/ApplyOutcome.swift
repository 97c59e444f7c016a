import FlowRuns
import Ledger
import Manifests

/// The result of an apply.
package struct ApplyOutcome: Hashable, Sendable {
    /// The results of the flows, in plan order.
    package let flows: [FlowOutcome]

    package init(flows: [FlowOutcome]) { self.flows = flows }

    package var accepted: Int { flows.reduce(0) { $0 + $1.accepted } }
    package var removed: Int { flows.reduce(0) { $0 + $1.removed } }
    package var remaining: Int { flows.reduce(0) { $0 + $1.remaining } }
    package var isComplete: Bool { flows.allSatisfy { $0.end == .done } }
}

/// The result of an apply for one flow.
package struct FlowOutcome: Hashable, Sendable {
    package let flow: FlowID
    package let accepted: Int
    /// Number of approved requests whose windows had already been run.
    package let removed: Int
    /// Number of approved requests that were not sent and whose windows have not been run.
    package let remaining: Int
    package let end: FlowEnd

    package init(flow: FlowID, accepted: Int, removed: Int, remaining: Int, end: FlowEnd) {
        self.flow = flow
        self.accepted = accepted
        self.removed = removed
        self.remaining = remaining
        self.end = end
    }
}

/// The end of an apply or a refresh of one flow. All cases except ``done`` are thrown.
package enum FlowEnd: Error, Hashable, Sendable {
    /// All approved requests were sent, or their windows had already been run.
    case done
    /// The flow's record changed after the plan was made. Contains a description of the change.
    case stale(String)
    /// The current state of the service or the ledger violates a rule.
    case conflict([Diagnostic])
    /// The flow does not match its manifest: disabled, deleted or rescheduled. The flow is held; other flows continue.
    case unfit([Diagnostic])
    /// The service's answer about this flow is invalid. The flow is held; other flows continue.
    case unreadable(String)
    /// The service refused a request.
    case refused(Window, reason: String)
    /// The flow is held: another apply's claim is open, a request is in doubt, a run has an unknown window, or a window
    /// has not ended.
    case held(String)
    case unavailable(String)
    case unauthorized(String)
    case ledgerFailed(LedgerError)
    /// A stop was requested before all requests were sent.
    case stopped
}

/// An event during an apply or a wait, for progress on a terminal and for JSON Lines.
package enum ApplyEvent: Hashable, Sendable {
    case started(flows: Int, requests: Int)
    /// The first comparison of a flow with the service has finished.
    case contacted(FlowID, runsFound: Int)
    /// Approved requests were dropped, because the ledger or the service shows that their windows have already been
    /// run.
    case removed(FlowID, count: Int)
    case accepted(RunIdentity, RunID)
    case rejected(RunIdentity, reason: String)
    case doubted(RunIdentity, reason: String)
    /// The run of a request in doubt was found on the service.
    case adopted(RunIdentity, RunID)
    /// The service did not accept the request in doubt.
    case released(RunIdentity)
    /// A wait begins.
    case waiting(FlowID, Duration, reason: String)
    /// The wait continues for the given duration. Reported once a second.
    case stillWaiting(FlowID, Duration, reason: String)
    /// The service's description of the flow differs from the manifest in a way that does not stop the apply.
    case noticed(FlowID, Diagnostic)
    case ended(FlowOutcome)
    case finished(ApplyOutcome)
    /// The runs that the command waits for were read again.
    case waited(running: Int)
    /// A run that the command waits for has ended.
    case runEnded(RecordedRun)
    case waitEnded(WaitOutcome)
}
