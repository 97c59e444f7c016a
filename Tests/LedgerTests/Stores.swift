import FlowRuns
import Foundation
import GitLedger
import Ledger
import PostgresLedger
import SQLiteLedger
import TestSupport
import Testing

/// The stores that the conformance suite runs against.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case sqlite
    /// A bare repository on this machine.
    case git
    /// A repository served by `git http-backend` behind nginx, with a password.
    case gitOverHTTP
    case gitOverSSH
    case postgres
    case pgbouncer

    var testDescription: String { rawValue }

    /// Creates a new, empty place.
    func make() async throws -> any StorePlace {
        switch self {
        case .memory: MemoryPlace()
        case .sqlite: try SQLitePlace()
        case .git: GitPlace(try GitRepository(), isSlow: true)
        case .gitOverHTTP: GitPlace(try GitRepository(servedBy: GitHTTPServer.shared()), isSlow: true)
        case .gitOverSSH: GitPlace(try GitRepository(servedBy: GitSSHServer.shared()), isSlow: true)
        case .postgres: PostgresPlace(url: try await PostgresServer.shared().makeDatabaseURL())
        case .pgbouncer:
            PostgresPlace(url: try await PgBouncer.shared().url(PostgresServer.shared().makeDatabase()))
        }
    }
}

/// A location where several appliers open the same ledger.
protocol StorePlace: Sendable {
    func open() async throws -> any LedgerStore
    /// Whether commits are slow, so that tests use fewer processes and rows.
    var isSlow: Bool { get }
}

extension StorePlace {
    var isSlow: Bool { false }
}

private struct MemoryPlace: StorePlace {
    let contents = InMemoryContents()

    func open() -> any LedgerStore { InMemoryStore(contents) }
}

/// A file in its own folder, which is removed at the end.
private final class SQLitePlace: StorePlace {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func open() throws -> any LedgerStore {
        try SQLiteLedger.open(
            path: folder.appendingPathComponent("ledger.sqlite").path, targets: [Sample.target], mode: .readWrite)
    }
}

/// A Git ledger. Each opening represents a process of the same machine, and all share one cache.
private struct GitPlace: StorePlace {
    let repository: GitRepository
    let isSlow: Bool

    init(_ repository: GitRepository, isSlow: Bool) {
        self.repository = repository
        self.isSlow = isSlow
    }

    func open() -> any LedgerStore {
        GitLedger(
            GitLocation(place: .address(repository.address, folder: repository.home)), target: Sample.target,
            sandbox: "prod", mode: .readWrite,
            cacheFolder: repository.home + "/cache", stateFolder: repository.home + "/state",
            environment: repository.environment)
    }
}

/// A database of its own, reached directly or through PgBouncer.
private struct PostgresPlace: StorePlace {
    let url: String

    func open() async throws -> any LedgerStore {
        try await PostgresLedger.open(url, targets: [Sample.target], mode: .readWrite)
    }
}

/// Small sample values.
enum Sample {
    static let target = "https://platform.adobe.io/data/foundation/flowservice 1234@AdobeOrg prod"
    static let flow = flow(1)
    static let now = Timestamp(milliseconds: 1_700_000_000_000)
    static let settle = Duration.seconds(120)

    static func flow(_ number: Int) -> FlowID {
        let digits = String(number)
        return FlowID("00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits)!
    }

    static func window(_ number: Int64) -> Window {
        Window(startSeconds: number * 100, endSeconds: number * 100 + 100)!
    }

    static func run(_ name: String) -> RunID { RunID(name)! }

    static func identity(
        _ window: Int64, of flow: FlowID = flow, rerun: String? = nil, attempt: Int = 1
    ) -> RunIdentity {
        RunIdentity(flow: flow, window: Sample.window(window), rerun: rerun, attempt: attempt)
    }

    /// Creates a claim made at `time` by the service's clock, which is known to the second.
    static func claim(
        _ identity: RunIdentity, id: String = "c1", column: DeltaColumn? = nil, at time: Timestamp? = now,
        isRetry: Bool = false
    ) -> Claim {
        Claim(
            identity: identity, deltaColumn: column, request: "POST /runs {}",
            claim: RunClaim(
                id: ClaimID(id)!, owner: "host:1",
                time: time.map { ServiceTime(earliest: $0, latest: $0 + .seconds(1)) }),
            claimedAt: now,
            provenance: Provenance(
                file: "crm.yaml", line: 7, commit: "c0ffee", author: "ada", ciRun: "https://ci/1",
                reason: identity.rerun.map { _ in "late files" }), isRetry: isRetry)
    }

    static func observed(
        _ name: String, _ window: Int64?, after: Duration = .seconds(10), status: String = "inProgress",
        end: RunEnd? = nil, client: String? = nil
    ) -> ObservedRun {
        ObservedRun(
            id: run(name), window: window.map(Sample.window), createdAt: now + after, createdClient: client,
            status: status, end: end)
    }

    /// Creates a listing of all runs, with the date `after` ``now``.
    static func listing(_ runs: [ObservedRun], after: Duration) -> RunListing {
        RunListing(runs: runs, date: now + after, isComplete: true)
    }
}

extension FlowLedger {
    /// Creates an empty flow.
    init(of flow: FlowID = Sample.flow) { self = .empty(flow) }

    /// Claims a window and brings the request to `state`.
    mutating func bring(_ identity: RunIdentity, to state: RunState) throws {
        let name = "\(identity.flow) \(identity.window?.start.seconds ?? 0) \(identity.attempt)"
        let claim = Sample.claim(identity, id: "c" + String(name.hashValue.magnitude % 1_000_000))
        try self.claim(claim)
        switch state {
        case .intended: break
        case .accepted: try record(.accepted(Sample.run(name), response: "{}"), of: claim, at: Sample.now)
        case .rejected: try record(.rejected(reason: "no", response: nil), of: claim, at: Sample.now)
        case .inDoubt: try record(.inDoubt(reason: "lost", response: nil), of: claim, at: Sample.now)
        case .released: try record(.released(reason: "absent"), of: claim, at: Sample.now)
        case .succeeded, .partial, .failed:
            try record(.accepted(Sample.run(name), response: "{}"), of: claim, at: Sample.now)
            let ended = ObservedRun(
                id: Sample.run(name), window: identity.window, createdAt: Sample.now, status: "ended",
                end: RunEnd(state: state))
            _ = try observe(
                RunListing(runs: [ended], date: nil, isComplete: false),
                settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle),
                at: Sample.now)
        }
    }
}
