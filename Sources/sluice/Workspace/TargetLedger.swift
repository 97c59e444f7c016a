import Applier
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
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
