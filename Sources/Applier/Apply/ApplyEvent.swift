import FlowRuns
import Manifests

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
