import FlowRuns
import Ledger
import Manifests

/// What an apply came to.
package struct ApplyOutcome: Hashable, Sendable {
    /// Sorted by flow.
    package let flows: [FlowOutcome]

    package init(flows: [FlowOutcome]) { self.flows = flows.sorted { $0.flow < $1.flow } }

    package var accepted: Int { flows.reduce(0) { $0 + $1.accepted } }
    package var removed: Int { flows.reduce(0) { $0 + $1.removed } }
    package var remaining: Int { flows.reduce(0) { $0 + $1.remaining } }
    package var isComplete: Bool { flows.allSatisfy { $0.end == .done } }
}

/// What an apply came to in one flow.
package struct FlowOutcome: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        /// Every approved request was made, or is not needed any more.
        case done
        /// Another applier holds the flow.
        case locked
        /// The flow's record changed after the plan was made; in words.
        case stale(String)
        /// What the service or the ledger now says breaks a rule.
        case conflict([Diagnostic])
        /// The service refused a request.
        case refused(Window, reason: String)
        /// Whether a request was taken is not known yet, or a run of unknown window holds the flow.
        case held(String)
        case unavailable(String)
        case unauthorized(String)
        case ledgerFailed(LedgerError)
        /// Told to stop before all was sent.
        case stopped
    }

    /// An end that comes before anything was done.
    struct Fault: Error {
        let end: End

        init(_ end: End) { self.end = end }
    }

    package let flow: FlowID
    package let accepted: Int
    package let removed: Int
    /// Approved requests that were neither made nor found needless.
    package let remaining: Int
    package let end: End

    package init(flow: FlowID, accepted: Int, removed: Int, remaining: Int, end: End) {
        self.flow = flow
        self.accepted = accepted
        self.removed = removed
        self.remaining = remaining
        self.end = end
    }
}
