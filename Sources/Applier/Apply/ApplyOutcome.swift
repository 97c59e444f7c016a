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
