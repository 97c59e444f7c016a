import FlowRuns
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

@Suite("Constraints of the PostgreSQL schema")
struct RefusedRowsTests {
    /// Runs statements directly on a ledger with one claim.
    ///
    /// - Returns: Whether the last statement violates a constraint.
    private static func isRefused(_ statements: String...) async throws -> Bool {
        let database = try await LedgerDatabase()
        let ledger = try await database.open()
        #expect(try await ledger.commit(ledger.prepared(1)) == .done)
        for sql in statements.dropLast() { try await database.run(sql) }
        do {
            try await database.run(statements.last ?? "")
            return false
        } catch let failure as PostgresServer.Failure {
            let isViolation = ["violates", "may not", "may have one open claim"].contains(
                where: failure.description.contains)
            #expect(isViolation, "\(failure)")
            return isViolation
        }
    }

    /// Returns an insertion into the same flow and claim: window, rerun, attempt, state, origin, run ID, and two times.
    private static func row(_ values: String, claim: String = "claim") -> String {
        """
        INSERT INTO sluice.run (target, flow, claim, window_start, window_end, rerun, attempt, state, origin, run,
            recorded_at, updated_at) SELECT target, flow, \(claim), \(values) FROM sluice.run LIMIT 1
        """
    }

    @Test(
        "impossible rows are rejected",
        arguments: [
            "5, 5, '', 1, 'intended', 'request', NULL, 1, 1", "5, NULL, '', 1, 'intended', 'request', NULL, 1, 1",
            "NULL, NULL, '', 1, 'intended', 'request', NULL, 1, 1", "5, 6, '', 0, 'intended', 'request', NULL, 1, 1",
            "5, 6, '', 1, 'unheard', 'request', NULL, 1, 1", "5, 6, '', 1, 'accepted', 'request', NULL, 1, 1",
            "5, 6, '', 1, 'rejected', 'request', 'a', 1, 1", "5, 6, '', 1, 'intended', 'service', NULL, 1, 1",
            "1, 2, '', 1, 'rejected', 'request', NULL, 1, 1", "1, 2, '', 2, 'intended', 'request', NULL, 1, 1",
        ])
    func impossible(values: String) async throws {
        #expect(try await Self.isRefused(Self.row(values)))
    }

    @Test("a duplicate run ID, a duplicate attempt with an unknown window, and a second open claim are rejected")
    func taken() async throws {
        #expect(
            try await Self.isRefused(
                Self.row("5, 6, '', 1, 'accepted', 'service', 'a', 1, 1"),
                Self.row("7, 8, '', 1, 'accepted', 'service', 'a', 1, 1")))
        #expect(
            try await Self.isRefused(
                Self.row("NULL, NULL, '', 1, 'accepted', 'service', 'a', 1, 1"),
                Self.row("NULL, NULL, '', 1, 'accepted', 'service', 'b', 1, 1")))
        let open = "5, 6, '', 1, 'intended', 'request', NULL, 1, 1"
        #expect(try await Self.isRefused(Self.row(open, claim: "'another'")))
        #expect(try await !Self.isRefused(Self.row(open)))
    }

    @Test("invalid state transitions are rejected; a commit may make several valid ones", arguments: RunState.allCases)
    func moves(from: RunState) async throws {
        let database = try await LedgerDatabase()
        _ = try await database.open().commit(database.open().prepared(1))
        // Returns whether a run can reach a state with one transition or more.
        func reaches(_ to: RunState) -> Bool {
            from.canBecome(to) || RunState.allCases.contains { from.canBecome($0) && $0.canBecome(to) }
                || (from == .intended && to.isAccepted)
        }
        var moves: [String] = []
        for to in RunState.allCases where to != from {
            moves.append(
                """
                BEGIN INSERT INTO sluice.run (target, flow, claim, window_start, window_end, rerun, attempt, state, origin,
                    run, recorded_at, updated_at) SELECT target, flow, claim, 5, 6, '', 1, '\(from.rawValue)', 'request',
                    \(from.isAccepted ? "'a'" : "NULL"), 1, 1 FROM sluice.run LIMIT 1;
                UPDATE sluice.run SET state = '\(to.rawValue)', run = \(to.isAccepted ? "'a'" : "NULL") WHERE window_start = 5;
                RAISE EXCEPTION 'moved'; EXCEPTION WHEN integrity_constraint_violation THEN
                    IF \(reaches(to)) THEN RAISE EXCEPTION 'refused: \(to.rawValue)'; END IF;
                    WHEN raise_exception THEN IF NOT \(reaches(to)) OR SQLERRM <> 'moved' THEN RAISE; END IF; END;
                """)
        }
        // An accepted run keeps its ID, so this trigger would prevent transitions to states without an ID.
        let script = moves.joined(separator: "\n")
        try await database.run("ALTER TABLE sluice.run DISABLE TRIGGER run_keeps_its_identity")
        try await database.run("DO $do$ BEGIN \(script) END $do$")
    }

    @Test(
        "changed identities, deleted rows and decreasing revisions are rejected",
        arguments: [
            "UPDATE sluice.run SET attempt = 2", "UPDATE sluice.run SET window_start = 0",
            "UPDATE sluice.run SET window_start = NULL, window_end = NULL", "UPDATE sluice.run SET rerun = 'x'",
            "UPDATE sluice.run SET origin = 'service'", "DELETE FROM sluice.run", "TRUNCATE sluice.run",
            "DELETE FROM sluice.flow", "UPDATE sluice.flow SET revision = revision - 1",
        ])
    func changed(sql: String) async throws {
        #expect(try await Self.isRefused(sql))
    }

    @Test("missing and disabled constraints are reported as damage")
    func disabled() async throws {
        let database = try await LedgerDatabase()
        let ledger = try await database.open()
        try await ledger.add(1)
        try await database.run(
            "ALTER TABLE sluice.run DISABLE TRIGGER one_open_claim", "DROP INDEX sluice.one_living_request")
        #expect(
            try await ledger.verify() == [
                "one_living_request is missing in the schema sluice",
                "the trigger one_open_claim of sluice.run is disabled",
            ])
    }
}
