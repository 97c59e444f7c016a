import FlowRuns
import Manifests

/// What happens during an apply, as it happens: progress on a terminal, and JSON Lines for machines.
package enum ApplyEvent: Hashable, Sendable {
    case started(flows: Int, requests: Int)
    /// A flow was compared with the service for the first time.
    case contacted(FlowID, runsFound: Int)
    /// Approved requests that had been run already, by what the ledger or the service now knows.
    case removed(FlowID, count: Int)
    case accepted(RunIdentity, RunID)
    case rejected(RunIdentity, reason: String)
    case doubted(RunIdentity, reason: String)
    /// A request in doubt was found on the service.
    case adopted(RunIdentity, RunID)
    /// A request in doubt is surely absent from the service.
    case released(RunIdentity)
    /// A wait begins.
    case waiting(FlowID, Duration, reason: String)
    /// The wait goes on, for so much longer: once a second.
    case stillWaiting(FlowID, Duration, reason: String)
    /// The service's description of the flow disagrees with the manifest in a way that does not stop the apply.
    case noticed(FlowID, Diagnostic)
    case ended(FlowOutcome)
    case finished(ApplyOutcome)
    /// The runs that are waited for were read again.
    case waited(running: Int)
    /// A run that was waited for has ended.
    case runEnded(RecordedRun)
    case waitEnded(WaitOutcome)
}
