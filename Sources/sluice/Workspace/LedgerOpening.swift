import Foundation
import Ledger
import Manifests
import SQLiteLedger

extension Target.LedgerAddress {
    /// Opens the store at this address.
    ///
    /// - Parameters:
    ///   - targets: the identity of the target, and those that earlier versions gave it.
    ///   - writing: creates the ledger where there is none; otherwise a missing one reads as empty.
    func open(_ targets: [String], writing: Bool) async throws(LedgerError) -> any LedgerStore {
        switch self {
        case .sqlite(let path):
            try SQLiteLedger.open(path: path, targets: targets, mode: writing ? .readWrite : .readOnly)
        case .postgres:
            throw .unusable("this version of sluice keeps ledgers in SQLite only: write 'ledger: sqlite:PATH'")
        }
    }

    /// What this machine keeps of its claims beside the ledger.
    func journal(of target: String) -> (any ClaimJournal)? {
        guard let folder = ProcessInfo.processInfo.environment.stateFolder else { return NoJournal() }
        return switch self {
        case .sqlite: FileJournal(stateFolder: folder, target: target)
        case .postgres: nil
        }
    }
}

extension [String: String] {
    /// Where a program keeps its state by the XDG Base Directory Specification; `nil` without a home.
    fileprivate var stateFolder: String? {
        if let folder = self["XDG_STATE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
    }
}
