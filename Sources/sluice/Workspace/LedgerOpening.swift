import Foundation
import GitLedger
import Ledger
import Manifests
import PostgresLedger
import SQLiteLedger

extension Target.LedgerAddress {
    /// Opens the store at this address.
    ///
    /// - Parameter writing: creates the ledger where there is none; otherwise a missing one reads as empty.
    func open(for target: Target, writing: Bool) async throws(LedgerError) -> any LedgerStore {
        let address: Target.LedgerAddress
        do { address = try resolved() } catch { throw .unusable(error.description) }
        switch address {
        case .sqlite(let path):
            return try SQLiteLedger.open(
                path: path, targets: target.identities, mode: writing ? .readWrite : .readOnly)
        case .git(let address): return GitLedger(address, of: target, writing: writing)
        case .postgres(let address):
            let ledger = try await PostgresLedger.open(
                address, targets: target.identities, mode: writing ? .readWrite : .readOnly)
            for warning in ledger.warnings { Console.say("warning: \(warning)") }
            return ledger
        }
    }

    /// What this machine keeps of its claims beside the ledger.
    func journal(of target: String) -> (any ClaimJournal)? {
        guard let folder = ProcessInfo.processInfo.environment.stateFolder else { return NoJournal() }
        return switch self {
        case .sqlite: FileJournal(stateFolder: folder, target: target)
        case .git: nil
        case .postgres:
            SharedJournal(
                own: FileJournal(stateFolder: folder, target: "shared " + target),
                embedded: FileJournal(stateFolder: folder, target: target))
        }
    }
}

extension GitLedger {
    fileprivate init(_ address: GitAddress, of target: Target, writing: Bool) {
        let folder = address.folder.isEmpty ? "." : address.folder
        let place: GitLocation.Place =
            switch address.repository {
            case .remote(let name): .remote(name, folder: folder)
            case .address(let text): .address(text, folder: folder)
            }
        let environment = ProcessInfo.processInfo.environment
        self.init(
            GitLocation(place: place, refs: address.refs ?? "refs/sluice", pushesPerMinute: address.pushesPerMinute),
            target: target.identity, sandbox: target.sandbox, mode: writing ? .readWrite : .readOnly,
            folders: Folders(cache: environment.cacheFolder, state: environment.stateFolder),
            requestTimeout: target.limits.requestTimeout, environment: environment,
            notice: { Console.say("warning: \($0)") })
    }
}

extension [String: String] {
    /// Where a program keeps what it can fetch again; a folder for temporary files without a home.
    fileprivate var cacheFolder: String {
        if let folder = self["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.cache" : nil } ?? NSTemporaryDirectory()
    }

    /// Where a program keeps its state by the XDG Base Directory Specification; `nil` without a home.
    fileprivate var stateFolder: String? {
        if let folder = self["XDG_STATE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
    }
}
