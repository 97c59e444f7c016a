import FlowRuns
import Ledger
import Manifests

/// What an apply came to.
public struct ApplyOutcome: Hashable, Sendable {
    /// Sorted by flow.
    public let flows: [FlowOutcome]

    public init(flows: [FlowOutcome]) { self.flows = flows.sorted { $0.flow < $1.flow } }

    public var accepted: Int { flows.reduce(0) { $0 + $1.accepted } }
    public var removed: Int { flows.reduce(0) { $0 + $1.removed } }
    public var remaining: Int { flows.reduce(0) { $0 + $1.remaining } }
    public var isComplete: Bool { flows.allSatisfy { $0.end == .done } }
}

/// What an apply came to in one flow.
public struct FlowOutcome: Hashable, Sendable {
    public enum End: Hashable, Sendable {
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

    public let flow: FlowID
    public let accepted: Int
    public let removed: Int
    /// Approved requests that were neither made nor found needless.
    public let remaining: Int
    public let end: End

    public init(flow: FlowID, accepted: Int, removed: Int, remaining: Int, end: End) {
        self.flow = flow
        self.accepted = accepted
        self.removed = removed
        self.remaining = remaining
        self.end = end
    }
}
