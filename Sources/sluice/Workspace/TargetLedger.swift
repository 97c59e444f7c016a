import Applier
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
import SQLiteLedger

/// A target's ledger, as one command opens it.
struct TargetLedger: Sendable {
    let store: any LedgerStore
    /// What this machine keeps beside an embedded ledger; a shared one needs none.
    let journal: (any ClaimJournal)?
    private let target: Target

    /// Opens the ledger, hands it to `body`, and closes it whatever happens.
    ///
    /// - Parameter writing: creates the ledger where there is none; otherwise a missing one reads as empty.
    static func with<Result>(
        _ target: Target, writing: Bool, _ body: (TargetLedger) async throws -> Result
    ) async throws -> Result {
        do {
            let ledger = try open(target, writing: writing)
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

    private static func open(_ target: Target, writing: Bool) throws(LedgerError) -> TargetLedger {
        guard case .sqlite(let path) = target.ledger else {
            throw .unusable("this version of sluice keeps ledgers in SQLite only: write 'ledger: sqlite:PATH'")
        }
        let store = try SQLiteLedger.open(
            path: path, targets: target.identities, mode: writing ? .readWrite : .readOnly)
        let journal: any ClaimJournal =
            if let folder = ProcessInfo.processInfo.environment.stateFolder {
                FileJournal(stateFolder: folder, target: target.identity)
            } else {
                NoJournal()
            }
        return TargetLedger(store: store, journal: journal, target: target)
    }

    /// The file of a ledger that is not there yet.
    static func newFile(of target: Target) -> String? {
        guard case .sqlite(let path) = target.ledger, !FileManager.default.fileExists(atPath: path) else { return nil }
        return path
    }

    /// What an apply, a refresh or a wait works with.
    func context(
        _ service: any FlowService, stop: StopSignal, report: @escaping @Sendable (ApplyEvent) -> Void = { _ in }
    ) -> ApplierContext {
        ApplierContext(
            store: store, journal: journal, service: service, limits: target.limits,
            listsAtOnce: target.service == .embedded, owner: Self.owner, stop: stop, report: report)
    }

    /// `HOST:PROCESS`, by which people find whoever holds a claim.
    private static let owner: String = {
        var name = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&name, name.count - 1) == 0
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(isKnown ? host : "unknown"):\(getpid())"
    }()
}

extension [String: String] {
    /// Where a program keeps its state by the XDG Base Directory Specification; `nil` without a home.
    fileprivate var stateFolder: String? {
        if let folder = self["XDG_STATE_HOME"], folder.hasPrefix("/") { return folder }
        return self["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
    }
}

extension Failure {
    init(_ error: LedgerError) {
        if case .busy = error {
            self.init(.tryLater, error.description)
        } else {
            self.init(.fileError, error.description)
        }
    }

    init(_ error: RefreshError) {
        switch error {
        case .ledger(let error): self.init(error)
        case .service(let error): self.init(error)
        }
    }
}
