import FlowRuns
import Foundation
import GRDB
import Ledger

@testable import SQLiteLedger

/// A folder of its own for ledger files, removed at the end.
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
        -> SQLiteLedger
    {
        try SQLiteLedger.open(path: path, target: target, mode: mode)
    }

    /// A closed ledger with this many claims, all of it in the file itself.
    func fill(_ count: Int64 = 3) async throws {
        let ledger = try open()
        try await ledger.restore([], (0..<count).map { LedgerEntry(Self.claim($0)) })
        await ledger.close()
    }

    /// Runs statements behind the ledger's back.
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
            claimedAt: Timestamp(milliseconds: 1),
            provenance: Provenance())
    }
}
