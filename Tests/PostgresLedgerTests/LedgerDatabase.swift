import FlowRuns
import Foundation
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

/// A database with its own ledger.
struct LedgerDatabase {
    static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!

    let server: PostgresServer
    let name: String

    init(on server: PostgresServer? = nil) async throws {
        if let server { self.server = server } else { self.server = try await .shared() }
        name = try await self.server.makeDatabase()
    }

    var url: String { server.url(name) }

    func open(
        _ mode: PostgresLedger.Mode = .readWrite, user: String = "sluice",
        _ more: (inout PostgresLedger.Options) -> Void = { _ in }, warn: (String) -> Void = { _ in }
    ) async throws -> any LedgerStore {
        var options = PostgresLedger.Options()
        options.retryTime = .seconds(3)
        options.openingRetryTime = .seconds(1)
        more(&options)
        return try await PostgresLedger.open(
            server.url(name, user: user, "connect_timeout=2"), targets: ["target"], mode: mode, options: options,
            warn: warn)
    }

    @discardableResult
    func run(_ sql: String...) async throws -> String {
        try await server.run(sql.joined(separator: ";"), in: name)
    }

    /// Opens a connection of its own, to act as another backend.
    func connect() throws -> PostgresConnection {
        try PostgresConnection(ServerAddress(url, isForWriting: true, environment: [:]), limit: .seconds(60))
    }

    /// Waits until a backend is blocked by the connection's transaction.
    func waitUntilOneWaits(for connection: PostgresConnection) async throws {
        try await wait(for: "a blocked backend") {
            var count: Int64? = 0
            try connection.run(
                "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            ) { (row) throws(PostgresError) in count = try row.integer() }
            return count != 0
        }
    }

    static func identity(_ number: Int64) -> RunIdentity {
        RunIdentity(flow: flow, window: Window(startSeconds: number, endSeconds: number + 1), attempt: 1)
    }

    static func claim(_ number: Int64) -> Claim {
        Claim(
            identity: identity(number), deltaColumn: nil, request: "POST /runs {}",
            claim: RunClaim(id: ClaimID("c\(number)")!, owner: "host:1", time: nil),
            claimedAt: Timestamp(milliseconds: 1), provenance: Provenance())
    }
}

extension LedgerStore {
    /// Returns a commit with a claim of a window.
    func prepared(_ number: Int64, nonce: String = UUID().uuidString) async throws -> FlowCommit {
        var ledger = FlowLedger(try await snapshot(of: LedgerDatabase.flow))
        try ledger.claim(LedgerDatabase.claim(number))
        return ledger.commit(nonce: nonce)
    }

    /// Commits a rejected request.
    func add(_ number: Int64) async throws {
        var ledger = FlowLedger(try await snapshot(of: LedgerDatabase.flow))
        let claim = LedgerDatabase.claim(number)
        try ledger.claim(claim)
        try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: Timestamp(milliseconds: 1))
        #expect(try await commit(ledger.commit(nonce: UUID().uuidString)) == .done)
    }

    var windows: Int {
        get async throws { try await snapshot(of: LedgerDatabase.flow).runs.count }
    }
}

/// Returns the description of the error that the body throws.
func refusal(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return "nothing is refused"
    } catch {
        return "\(error)"
    }
}
