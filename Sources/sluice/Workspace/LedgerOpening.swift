import Foundation
import GitLedger
import Ledger
import Manifests
import PostgresLedger
import SQLiteLedger

extension Target.LedgerAddress {
    /// Opens the store at this address.
    ///
    /// - Parameter writing: Whether to create a missing ledger; otherwise, a missing ledger reads as empty.
    func open(for target: Target, writing: Bool) async throws(LedgerError) -> any LedgerStore {
        let address: Target.LedgerAddress
        do { address = try resolved() } catch { throw .unusable(error.description) }
        switch address {
        case .sqlite(let path):
            return try SQLiteLedger.open(
                path: path, targets: target.identities, mode: writing ? .readWrite : .readOnly)
        case .git(let address):
            // The ledger itself retries a fetch.
            return RetryingStore(
                GitLedger(address, of: target, writing: writing), reads: .zero, commits: .seconds(60))
        case .postgres(let address):
            return try await PostgresLedger.open(
                address, targets: target.identities, mode: writing ? .readWrite : .readOnly
            ) { Console.printNote("warning: \($0)") }
        }
    }

    /// The machine's journal of claims for a target: the same one for every ledger address.
    ///
    /// A shared ledger contains the requests of every machine, so it can do without a journal where there is no place for
    /// one, as in a container with a read-only home folder.
    func journal(of target: String) -> any ClaimJournal {
        guard let folder = ProcessInfo.processInfo.environment.stateFolder else { return NoJournal() }
        if isShared, !folder.canBeWritten { return NoJournal() }
        return FileJournal(stateFolder: folder, target: target)
    }

    private var isShared: Bool { if case .sqlite = self { false } else { true } }
}

extension String {
    /// Whether files can be created in this folder, or the folder itself can.
    fileprivate var canBeWritten: Bool {
        var folder = URL(fileURLWithPath: self)
        while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
            folder.deleteLastPathComponent()
        }
        return FileManager.default.isWritableFile(atPath: folder.path)
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
            cacheFolder: environment.cacheFolder, stateFolder: environment.stateFolder,
            requestTimeout: target.limits.requestTimeout, environment: environment,
            notice: { Console.printNote("warning: \($0)") })
    }
}

extension [String: String] {
    /// The folder for cached data, by the XDG Base Directory Specification; a temporary folder if there is no home.
    fileprivate var cacheFolder: String {
        if let folder = self["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.cache" : nil } ?? NSTemporaryDirectory()
    }

    /// The folder for state, by the XDG Base Directory Specification; `nil` if there is no home.
    fileprivate var stateFolder: String? {
        if let folder = self["XDG_STATE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
    }
}
