import FlowRuns
import Foundation
import GRDB
import Ledger
import Testing

@testable import SQLiteLedger

/// A temporary folder for ledger files, which is removed at the end.
final class LedgerFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sqlite-ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var path: String { url.appendingPathComponent("ledger.sqlite").path }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    func open(_ mode: SQLiteLedger.Mode = .readWrite, target: String = "target") throws(LedgerError)
        -> any LedgerStore
    {
        try SQLiteLedger.open(path: path, targets: [target], mode: mode)
    }

    /// Opens the ledger for direct SQL statements.
    func openDatabase() throws -> SQLiteLedger { try #require(open() as? SQLiteLedger) }

    /// Creates a closed ledger with this many claims, without a write-ahead log.
    func fill(_ count: Int64 = 3) async throws {
        let ledger = try open()
        for number in 0..<count { _ = try await ledger.add(number) }
        await ledger.close()
    }

    /// Runs SQL statements directly on the database.
    func execute(_ sql: String) throws {
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
    }

    static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!

    static func identity(_ number: Int64, attempt: Int = 1) -> RunIdentity {
        RunIdentity(flow: flow, window: Window(startSeconds: number, endSeconds: number + 1), attempt: attempt)
    }

    static func claim(_ number: Int64, attempt: Int = 1, request: String = "POST /runs {}") -> Claim {
        Claim(
            identity: identity(number, attempt: attempt), deltaColumn: nil, request: request,
            claim: RunClaim(id: ClaimID("c\(number)")!, owner: "host:1", time: nil),
            claimedAt: Timestamp(milliseconds: 1), provenance: Provenance())
    }
}

extension LedgerStore {
    /// Commits a rejected request.
    ///
    /// - Returns: `false` if the window is already recorded.
    func add(_ number: Int64, request: String = "POST /runs {}") async throws -> Bool {
        var ledger = FlowLedger(try await snapshot(of: LedgerFolder.flow))
        guard ledger.run(LedgerFolder.identity(number)) == nil else { return false }
        let claim = LedgerFolder.claim(number, request: request)
        try ledger.claim(claim)
        try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: Timestamp(milliseconds: 1))
        return try await commit(ledger.commit(nonce: UUID().uuidString)) == .done
    }

    /// Commits a claim and leaves it open.
    func claim(_ number: Int64) async throws {
        var ledger = FlowLedger(try await snapshot(of: LedgerFolder.flow))
        try ledger.claim(LedgerFolder.claim(number))
        #expect(try await commit(ledger.commit(nonce: UUID().uuidString)) == .done)
    }
}
