import FlowRuns
import Ledger
import Manifests

/// What an apply came to.
package struct ApplyOutcome: Hashable, Sendable {
    /// In the plan's order.
    package let flows: [FlowOutcome]

    package init(flows: [FlowOutcome]) { self.flows = flows }

    package var accepted: Int { flows.reduce(0) { $0 + $1.accepted } }
    package var removed: Int { flows.reduce(0) { $0 + $1.removed } }
    package var remaining: Int { flows.reduce(0) { $0 + $1.remaining } }
    package var isComplete: Bool { flows.allSatisfy { $0.end == .done } }
}

/// What an apply came to in one flow.
package struct FlowOutcome: Hashable, Sendable {
    package let flow: FlowID
    package let accepted: Int
    /// Approved requests that had been run already.
    package let removed: Int
    /// Approved requests that were neither made nor found to have been run.
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

/// How an apply or a refresh of one flow ends. All but ``done`` are thrown.
package enum FlowEnd: Error, Hashable, Sendable {
    /// Every approved request was made, or had been run already.
    case done
    /// The flow's record changed after the plan was made; in words.
    case stale(String)
    /// What the service or the ledger now says breaks a rule.
    case conflict([Diagnostic])
    /// The flow does not match its manifest: disabled, deleted or rescheduled. The flow is held, the others go on.
    case unfit([Diagnostic])
    /// What the service says of this flow makes no sense; in words. The flow is held, the others go on.
    case unreadable(String)
    /// The service refused a request.
    case refused(Window, reason: String)
    /// Another apply's claim is open, whether a request was taken is not known yet, a run of unknown window is there, or
    /// a window has not ended.
    case held(String)
    case unavailable(String)
    case unauthorized(String)
    case ledgerFailed(LedgerError)
    /// Told to stop before all was sent.
    case stopped
}
