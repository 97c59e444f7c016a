import FlowRuns
import GRDB
import Ledger
import Testing

@testable import SQLiteLedger

@Suite("Constraints of the SQLite schema")
struct SchemaTests {
    /// Runs statements directly on a ledger with one claim, and rolls them back.
    ///
    /// - Returns: Whether the last statement violates a constraint.
    static func isRefused(_ statements: String...) async throws -> Bool {
        let folder = try LedgerFolder()
        let ledger = try folder.openDatabase()
        try await ledger.claim(1)
        return try await ledger.database.writeWithoutTransaction { connection in
            var isRefused = false
            try connection.inTransaction {
                // The rows below have no claim ID, so this row must have none for all to count as one claim.
                try connection.execute(sql: "UPDATE run SET claim = NULL")
                for sql in statements.dropLast() { try connection.execute(sql: sql) }
                do {
                    try connection.execute(sql: statements.last ?? "")
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    isRefused = true
                }
                return .rollback
            }
            return isRefused
        }
    }

    /// Returns an insertion into the same flow: window, rerun, attempt, state, origin, run ID, and two times.
    static func row(_ values: String) -> String {
        """
        INSERT INTO run (target, flow, window_start, window_end, rerun, attempt, state, origin, run, recorded_at,
            updated_at) SELECT target, flow, \(values) FROM run LIMIT 1
        """
    }

    @Test("a second active request for a window is rejected", arguments: RunState.allCases)
    func living(state: RunState) async throws {
        let run = state.isAccepted ? "'a'" : "NULL"
        let isLiving = !state.isVoid && state != .failed && state != .partial
        let second = Self.row("1, 2, '', 2, '\(state.rawValue)', 'request', \(run), 1, 1")
        #expect(try await Self.isRefused(second) == isLiving)
    }

    @Test(
        "impossible rows are rejected",
        arguments: [
            "5, 5, '', 1, 'intended', 'request', NULL, 1, 1", "6, 5, '', 1, 'intended', 'request', NULL, 1, 1",
            "5, NULL, '', 1, 'intended', 'request', NULL, 1, 1", "NULL, NULL, '', 1, 'intended', 'request', NULL, 1, 1",
            "5, 6, '', 0, 'intended', 'request', NULL, 1, 1", "5, 6, '', 1, 'unheard', 'request', NULL, 1, 1",
            "5, 6, '', 1, 'accepted', 'request', NULL, 1, 1", "5, 6, '', 1, 'rejected', 'request', 'a', 1, 1",
            "5, 6, '', 1, 'intended', 'service', NULL, 1, 1", "5, 6, '', 1, 'accepted', 'service', '', 1, 1",
            "5, 'x', '', 1, 'intended', 'request', NULL, 1, 1", "1, 2, '', 1, 'rejected', 'request', NULL, 1, 1",
        ])
    func impossible(values: String) async throws {
        #expect(try await Self.isRefused(Self.row(values)))
    }

    @Test("a duplicate run ID, and a duplicate attempt with an unknown window, are rejected")
    func taken() async throws {
        #expect(
            try await Self.isRefused(
                Self.row("5, 6, '', 1, 'accepted', 'service', 'a', 1, 1"),
                Self.row("7, 8, '', 1, 'accepted', 'service', 'a', 1, 1")))
        #expect(
            try await Self.isRefused(
                Self.row("NULL, NULL, '', 1, 'accepted', 'service', 'a', 1, 1"),
                Self.row("NULL, NULL, '', 1, 'accepted', 'service', 'b', 1, 1")))
    }

    @Test("only valid state transitions are accepted", arguments: RunState.allCases)
    func moves(from: RunState) async throws {
        let run = from.isAccepted ? "'a'" : "NULL"
        for to in RunState.allCases where to != from {
            let next = to.isAccepted ? "'a'" : "NULL"
            let isRefused = try await Self.isRefused(
                "DROP TRIGGER run_keeps_its_identity",
                Self.row("5, 6, '', 1, '\(from.rawValue)', 'request', \(run), 1, 1"),
                "UPDATE run SET state = '\(to.rawValue)', run = \(next) WHERE window_start = 5")
            #expect(isRefused != from.canBecome(to), "to \(to)")
        }
    }

    @Test(
        "changed identities, deleted rows and decreasing revisions are rejected",
        arguments: [
            "UPDATE run SET attempt = 2", "UPDATE run SET window_start = 0", "UPDATE run SET window_end = 9",
            "UPDATE run SET window_start = NULL, window_end = NULL", "UPDATE run SET rerun = 'x'",
            "UPDATE run SET origin = 'service'", "DELETE FROM run", "DELETE FROM flow",
            "UPDATE flow SET revision = revision - 1",
        ])
    func changed(sql: String) async throws {
        #expect(try await Self.isRefused(sql))
    }

    @Test("a foreign run can be deleted only while an open request of the flow could be that run")
    func forgotten() async throws {
        let theirs = Self.row("5, 6, '', 1, 'accepted', 'service', 'a', 1, 1")
        let forget = "DELETE FROM run WHERE origin = 'service'"
        #expect(try await !Self.isRefused(theirs, forget))
        #expect(try await Self.isRefused(theirs, "UPDATE run SET state = 'rejected' WHERE origin = 'request'", forget))
    }

    @Test("a second open claim of a flow is rejected")
    func claims() async throws {
        let other = Self.row("5, 6, '', 1, 'intended', 'request', NULL, 1, 1")
        #expect(try await !Self.isRefused(other))
        #expect(try await Self.isRefused("UPDATE run SET claim = 'another'", other))
    }

    @Test("a file of the first version is migrated with its open requests and revisions")
    func migrated() async throws {
        let folder = try LedgerFolder()
        let flow = LedgerFolder.flow
        try folder.execute(
            """
            \(LedgerSchema.firstVersion)
            INSERT INTO target (id, identity) VALUES (1, 'target');
            INSERT INTO flow (target, flow, revision, contacted_at) VALUES (1, '\(flow)', 7, 1000);
            INSERT INTO run (target, flow, window_start, window_end, rerun, attempt, state, origin, recorded_at, request,
                updated_at) VALUES (1, '\(flow)', 1, 2, '', 1, 'intended', 'request', 1, 'POST', 1),
                (1, '\(flow)', 2, 3, '', 1, 'inDoubt', 'request', 1, 'POST', 1);
            """)
        let read = try await folder.open(.readOnly).snapshot(of: flow)
        let snapshot = try await folder.open().snapshot(of: flow)
        #expect(snapshot == read)
        #expect(snapshot.record.revision == Revision(number: 7))
        #expect(snapshot.record.contactedAt == Timestamp(milliseconds: 1000))
        #expect(snapshot.runs.map(\.state) == [.intended, .inDoubt])
        #expect(snapshot.runs.allSatisfy { $0.claim == nil })
        var ledger = FlowLedger(snapshot)
        let findings = try ledger.observe(
            RunListing(runs: [], date: nil, isComplete: true),
            settling: ClaimSettlementPolicy(settle: .seconds(120), seenFor: .seconds(120)),
            at: Timestamp(milliseconds: 5000))
        #expect(findings.released.count == 2)
        #expect(try await folder.open().commit(ledger.commit(nonce: "n")) == .done)
    }

    @Test("a migrated file has the columns of a new one, which are the ledger's columns")
    func columns() async throws {
        let (new, old) = (try LedgerFolder(), try LedgerFolder())
        try old.execute(LedgerSchema.firstVersion)
        func columns(_ folder: LedgerFolder, _ table: String) async throws -> [String] {
            try await folder.openDatabase().database.read { connection in
                try String.fetchAll(
                    connection,
                    sql: "SELECT name || ' ' || type || ' ' || \"notnull\" FROM pragma_table_info(?) ORDER BY name",
                    arguments: [table])
            }
        }
        for table in ["target", "flow", "run"] {
            #expect(try await columns(old, table) == columns(new, table))
        }
        let names = try await columns(new, "run").map { String($0.prefix { $0 != " " }) }
        #expect(names == (RunColumns.all.map(\.name) + ["target", "flow"]).sorted())
    }

    @Test("the database uses a write-ahead log and fsync on commit")
    func durable() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.openDatabase()
        let settings = try await ledger.database.read { connection in
            try ["journal_mode", "synchronous", "foreign_keys"].map {
                try String.fetchOne(connection, sql: "PRAGMA \($0)")
            }
        }
        let full = "2"
        #expect(settings == ["wal", full, "1"])
    }

    @Test("rows without a flow are reported as damage")
    func damage() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        try await ledger.claim(1)
        #expect(try await ledger.damage().isEmpty)
        try folder.execute("PRAGMA foreign_keys = OFF; DROP TRIGGER flow_is_never_forgotten; DELETE FROM flow")
        #expect(try await ledger.damage() == ["1 rows of unknown flows"])
    }
}
