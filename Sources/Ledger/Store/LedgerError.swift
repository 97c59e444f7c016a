import FlowRuns

/// An error of the ledger. After any of them, nothing may be sent.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, directory or server cannot be opened or written: no such directory, permission denied, disk full.
    case unusable(String)
    /// The file is not a ledger, or is damaged.
    case corrupt(String)
    /// The file at the ledger's path is not the one that was opened: it has been removed, moved or replaced.
    case replaced(String)
    /// A newer version of Sluice wrote the ledger.
    case newer(found: Int, supported: Int)
    /// Another process held a lock for too long.
    case busy(String)
    /// The store cannot serve the call now: it starts, shuts down, has no free connection, or rolled the commit back.
    /// The same call may be repeated.
    case unavailable(String)
    /// The store did not answer. The commit may have succeeded, and the same commit may be repeated.
    case unanswered(String)
    /// A state change that `RunState.canBecome` does not allow.
    case illegalMove(RunIdentity, from: RunState, to: RunState)
    case unknownRun(RunIdentity)
    case notClaimable(RunIdentity, String)
    case runIDTaken(RunID, by: RunIdentity)
    /// A run is already recorded under another flow. A run belongs to one flow, so the service contradicts itself.
    case runIDOfAnotherFlow(String)

    /// Whether the same call may succeed soon: see ``RetryingStore``.
    var isTransient: Bool {
        switch self {
        case .unavailable, .unanswered: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .unusable(let reason): "cannot use the ledger: \(reason)"
        case .corrupt(let reason): "the ledger is damaged: \(reason)"
        case .replaced(let path):
            "the ledger \(path) was removed, moved or replaced while it was in use: nothing more is sent. "
                + "Put it back, or run the command again"
        case .newer(let found, let supported):
            "the ledger has version \(found), and this sluice knows versions up to \(supported): use a newer sluice"
        case .busy(let reason), .unavailable(let reason): "the ledger is busy: \(reason)"
        case .unanswered(let reason): "the ledger does not answer: \(reason)"
        case .illegalMove(let identity, let from, let to):
            "illegal state transition of \(identity.inWords): \(from.rawValue) to \(to.rawValue)"
        case .unknownRun(let identity): "the ledger has no \(identity.inWords)"
        case .notClaimable(let identity, let reason): "cannot claim \(identity.inWords): \(reason)"
        case .runIDOfAnotherFlow(let reason): "the service lists a run under two flows: \(reason)"
        case .runIDTaken(let id, let identity): "run \(id) is already recorded as \(identity.inWords)"
        }
    }
}
