import FlowRuns

/// Why the ledger cannot do what it was asked. Nothing may be sent after any of them.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, folder or server cannot be opened or written: no such folder, no permission, disk full.
    case unusable(String)
    /// The file is not a ledger, or is damaged.
    case corrupt(String)
    /// A newer Sluice wrote it.
    case newer(found: Int, supported: Int)
    /// Another process kept it busy for too long.
    case busy(String)
    /// A move that ``RunState/canBecome(_:)`` forbids, or of a run that is not recorded (`from` is `nil`).
    case illegalMove(RunIdentity, from: RunState?, to: RunState)
    case importConflict(String)

    package var description: String {
        switch self {
        case .unusable(let reason): "the ledger cannot be used: \(reason)"
        case .corrupt(let reason): "the ledger is damaged: \(reason)"
        case .newer(let found, let supported):
            "the ledger has version \(found), and this sluice knows versions up to \(supported): use a newer sluice"
        case .busy(let reason): "the ledger is busy: \(reason)"
        case .illegalMove(let identity, let from, let to):
            "the ledger refuses to move the run of flow \(identity.flow) from \(from?.rawValue ?? "nothing") "
                + "to \(to.rawValue)"
        case .importConflict(let reason): "the import disagrees with the ledger: \(reason)"
        }
    }
}
