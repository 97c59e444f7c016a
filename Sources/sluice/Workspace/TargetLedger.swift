import Applier
import FlowRuns
import FlowService
import Foundation
import GitLedger
import Ledger
import Manifests
import PostgresLedger
import SQLiteLedger
import Text

/// A target's ledger, open for the duration of one command.
struct TargetLedger: Sendable {
    let store: any LedgerStore
    /// The machine's own record of its claims.
    let journal: any ClaimJournal
    private let target: Target

    /// Opens the ledger, passes it to `body`, and closes it.
    ///
    /// - Parameters:
    ///   - address: The address to open instead of the target's.
    ///   - writing: Whether to create a missing ledger; otherwise, a missing ledger reads as empty.
    static func with<Result>(
        _ target: Target, at address: Target.LedgerAddress? = nil, writing: Bool,
        _ body: (TargetLedger) async throws -> Result
    ) async throws -> Result {
        do {
            let ledger = try await open(target, address ?? target.ledger, writing: writing)
            do {
                let result = try await body(ledger)
                await ledger.store.close()
                return result
            } catch {
                await ledger.store.close()
                throw error
            }
        } catch let error as LedgerError {
            throw Failure(error)
        }
    }

    private static func open(
        _ target: Target, _ address: Target.LedgerAddress, writing: Bool
    ) async throws(LedgerError) -> TargetLedger {
        TargetLedger(
            store: try await address.open(for: target, writing: writing),
            journal: address.journal(of: target.identity), target: target)
    }

    /// Announces the wait of an apply on a machine without a record of recent requests, before its first request; `nil` if
    /// there is none.
    var firstWaitNotice: String? {
        guard !store.isShared, target.service != .embedded, !journal.exists() else { return nil }
        return
            "The first apply on this machine waits \(target.limits.settle.wholeSeconds) s before its first request, once "
            + "for all flows: the service lists a run only some time after it began."
    }

    /// Returns the path of an SQLite ledger that does not exist yet.
    static func newFile(of target: Target) -> String? {
        guard case .sqlite(let path)? = try? target.ledger.resolved(), !FileManager.default.fileExists(atPath: path)
        else { return nil }
        return path
    }

    /// Creates the context of an apply, a refresh or a wait.
    func context(
        _ service: any FlowService, stop: StopSignal, report: @escaping @Sendable (ApplyEvent) -> Void = { _ in }
    ) -> ApplierContext {
        ApplierContext(
            store: store, journal: journal, service: service, limits: target.limits,
            listsAtOnce: target.service == .embedded, owner: Self.owner, stop: stop, report: report)
    }

    /// The owner of claims, as `HOST:PROCESS`, for users who look for the process behind a claim.
    private static let owner = "\(machineName()):\(getpid())"
}

extension Failure {
    init(_ error: LedgerError) {
        switch error {
        case .busy, .unavailable, .unanswered: self.init(.tryLater, error.description)
        default: self.init(.fileError, error.description)
        }
    }

    init(_ error: RefreshError) {
        switch error {
        case .ledger(let error): self.init(error)
        case .service(let error): self.init(error)
        }
    }
}

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
