import FlowRuns
import Foundation
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

@Suite("Servers that may have lost commits")
struct ServerChangeTests {
    private let flow = LedgerDatabase.flow
    private let other = FlowID("00000000-0000-4000-8000-000000000001")!

    @Test("a standby can be read, and its promotion requires a recheck of every flow")
    func standby() async throws {
        let primary = try await PostgresServer()
        let database = try await LedgerDatabase(on: primary)
        let ledger = try await database.open()
        try await ledger.add(1)
        let standby = try await PostgresServer(copyOf: primary)
        func open(_ mode: PostgresLedger.Mode, _ url: String) async throws -> any LedgerStore {
            try await PostgresLedger.open(url, targets: ["target"], mode: mode)
        }
        let reader = try await open(.readOnly, standby.url(database.name))
        #expect(try await reader.windows == 1)
        let reason = await refusal { _ = try await open(.readWrite, standby.url(database.name)) }
        #expect(reason.contains("hot standby") && reason.contains("name the primary"))
        let both = "postgres://sluice@127.0.0.1:\(standby.port),127.0.0.1:\(primary.port)/\(database.name)"
        let ofBoth = try await open(.readWrite, both)
        try await ofBoth.add(2)
        // A commit prepared on the old server must not succeed on the new one.
        let prepared = try await ofBoth.prepared(3)
        let unrecorded = try await ofBoth.snapshot(of: other)
        #expect(!unrecorded.record.needsRecheck)
        try await wait(for: "the second window on the standby") { try await reader.windows == 2 }
        try await primary.stop("immediate")
        try await standby.promote()
        #expect(try await ofBoth.commit(prepared) == .conflict)
        #expect(try await ofBoth.snapshot(of: flow).record.needsRecheck)
        var first = FlowLedger(unrecorded)
        first.record(column: DeltaColumn(name: "A"))
        #expect(try await ofBoth.commit(first.commit(nonce: "late")) == .conflict)
        #expect(try await ofBoth.snapshot(of: other).record.needsRecheck, "its first commit may be lost")
        #expect(try await ofBoth.commit(ofBoth.prepared(3)) == .done)
        try await standby.stop()
    }

    @Test("a restored dump marks every flow for a recheck once")
    func dump() async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(1)
        let again = try await database.open()
        #expect(try await !again.snapshot(of: flow).record.needsRecheck, "the same server is no other")
        let restored = try await LedgerDatabase()
        try await database.server.copyByDump(from: database.name, to: restored.name)
        let ledger = try await restored.open()
        #expect(try await ledger.snapshot(of: flow).record.needsRecheck)
        #expect(try await ledger.windows == 1)
        #expect(try await ledger.verify().isEmpty)
        let token = try await ledger.snapshot(of: flow).record.revision
        #expect(try await restored.open().snapshot(of: flow).record.revision == token)
    }

    @Test("for a day after a server change, flows without a record need a recheck")
    func unrecorded() async throws {
        let database = try await LedgerDatabase()
        let ledger = try await database.open()
        try await database.run(
            "UPDATE sluice.ledger SET server_changes = 1, server_changed_at = now() - interval '23 hours'")
        #expect(try await ledger.snapshot(of: flow).record.needsRecheck)
        try await database.run("UPDATE sluice.ledger SET server_changed_at = now() - interval '25 hours'")
        #expect(try await !ledger.snapshot(of: flow).record.needsRecheck)
        #expect(try await ledger.commit(ledger.prepared(1)) == .done)
    }
}
