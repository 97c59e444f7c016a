import GRDB
import Ledger

/// The schema of a ledger file: the tables of a new file, and an append-only list of migrations.
///
/// `user_version` is the number of migrations applied. An existing step has already run on users' files and must never
/// be edited.
enum LedgerSchema {
    struct Step: Sendable {
        let name: String
        /// New columns in the tables of an older file. New files have them from the start.
        var columns = ""
        /// Indexes and triggers, also of new files.
        var rules = ""
    }

    static let steps = [
        Step(name: "flows and runs", rules: invariants),
        Step(name: "claims and revisions", columns: claimColumns, rules: oneClaim),
        Step(name: "reasons of reruns", columns: "ALTER TABLE run ADD COLUMN reason TEXT;"),
        Step(name: "retries of runs without records", rules: incompleteRequests),
        Step(name: "ends and windows that the service corrects", rules: corrections),
    ]
    static var version: Int { steps.count }
    /// SQLite's `application_id` of a ledger file, `Sluc` in ASCII.
    static let applicationID = 0x536C_7563

    /// Applies the missing steps to the file. Must run in a transaction.
    static func migrate(_ database: Database, from version: Int) throws {
        if version == 0 { try database.execute(sql: tables) }
        for step in steps.dropFirst(version) {
            if version > 0 { try database.execute(sql: step.columns) }
            try database.execute(sql: step.rules)
        }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        try database.execute(sql: "PRAGMA user_version = \(steps.count)")
    }

    private static func type(of kind: ColumnKind) -> String { kind == .text ? "TEXT" : "INTEGER" }

    /// The tables of a new file.
    private static let tables = """
        CREATE TABLE target (
            id INTEGER PRIMARY KEY,
            identity TEXT NOT NULL UNIQUE
        ) STRICT;

        CREATE TABLE flow (
            target INTEGER NOT NULL REFERENCES target (id),
            flow TEXT NOT NULL CHECK (length(flow) = 36),
            \(FlowColumns.all.definitions(type)),
            CHECK (needs_recheck IN (0, 1)),
            PRIMARY KEY (target, flow)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE run (
            target INTEGER NOT NULL,
            flow TEXT NOT NULL,
            \(RunColumns.all.definitions(type)),
            \(RunColumns.constraints),
            UNIQUE (target, flow, window_start, window_end, rerun, attempt),
            UNIQUE (target, run),
            FOREIGN KEY (target, flow) REFERENCES flow (target, flow) DEFERRABLE INITIALLY DEFERRED
        ) STRICT;
        """

    /// The first indexes and triggers. Together with the tables' constraints, they enforce the invariants: one row per
    /// identity, one active request per window, one row per run ID, legal state transitions only, and no deletion of
    /// requests or flows.
    private static let invariants = """
        CREATE UNIQUE INDEX run_of_unknown_window ON run (target, flow, rerun, attempt) WHERE window_start IS NULL;

        CREATE UNIQUE INDEX one_living_request ON run (target, flow, window_start, window_end, rerun)
            WHERE origin = 'request' AND state IN ('intended', 'inDoubt', 'accepted', 'succeeded', 'partial');

        CREATE TRIGGER run_moves_along_the_arrows BEFORE UPDATE OF state ON run
            WHEN NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (VALUES
                ('intended', 'accepted'), ('intended', 'rejected'), ('intended', 'inDoubt'), ('intended', 'released'),
                ('inDoubt', 'accepted'), ('inDoubt', 'released'),
                ('accepted', 'succeeded'), ('accepted', 'partial'), ('accepted', 'failed'))
            BEGIN SELECT RAISE(ABORT, 'a run may not move so'); END;

        CREATE TRIGGER run_keeps_its_identity
            BEFORE UPDATE OF target, flow, window_start, window_end, rerun, attempt, origin, run ON run
            WHEN NEW.target <> OLD.target OR NEW.flow <> OLD.flow OR NEW.rerun <> OLD.rerun
                OR NEW.origin <> OLD.origin OR (OLD.run IS NOT NULL AND NEW.run IS NOT OLD.run)
                OR (OLD.window_start IS NOT NULL AND (NEW.window_start IS NOT OLD.window_start
                    OR NEW.window_end IS NOT OLD.window_end OR NEW.attempt <> OLD.attempt))
            BEGIN SELECT RAISE(ABORT, 'a run may not change its identity'); END;

        CREATE TRIGGER run_is_never_forgotten BEFORE DELETE ON run
            WHEN OLD.origin = 'request' OR NOT EXISTS (
                SELECT 1 FROM run AS claimed
                WHERE claimed.target = OLD.target AND claimed.flow = OLD.flow
                    AND claimed.state IN ('intended', 'inDoubt'))
            BEGIN SELECT RAISE(ABORT, 'a run may not be forgotten'); END;

        CREATE TRIGGER flow_revision_counts_up BEFORE UPDATE OF revision ON flow
            WHEN NEW.revision < OLD.revision
            BEGIN SELECT RAISE(ABORT, 'a revision may not go back'); END;

        CREATE TRIGGER flow_is_never_forgotten BEFORE DELETE ON flow
            BEGIN SELECT RAISE(ABORT, 'a flow may not be forgotten'); END;
        """

    /// A new definition of `one_living_request` that permits a retry of a partial or empty run.
    ///
    /// The schema does not check that the manifest requests the retry; the planner does.
    private static let incompleteRequests = """
        DROP INDEX one_living_request;
        CREATE UNIQUE INDEX one_living_request ON run (target, flow, window_start, window_end, rerun)
            WHERE origin = 'request' AND (state IN ('intended', 'inDoubt', 'accepted')
                OR state = 'succeeded' AND COALESCE(output_records, input_records, 1) > 0);
        """

    /// Lets an ended run get another end, and a run found on the service another window, when the service corrects them.
    private static let corrections = """
        DROP TRIGGER run_moves_along_the_arrows;
        CREATE TRIGGER run_moves_along_the_arrows BEFORE UPDATE OF state ON run
            WHEN NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (VALUES
                ('intended', 'accepted'), ('intended', 'rejected'), ('intended', 'inDoubt'), ('intended', 'released'),
                ('inDoubt', 'accepted'), ('inDoubt', 'released'),
                ('accepted', 'succeeded'), ('accepted', 'partial'), ('accepted', 'failed'),
                ('succeeded', 'partial'), ('succeeded', 'failed'), ('partial', 'succeeded'), ('partial', 'failed'),
                ('failed', 'succeeded'), ('failed', 'partial'))
            BEGIN SELECT RAISE(ABORT, 'illegal run state transition'); END;

        DROP TRIGGER run_keeps_its_identity;
        CREATE TRIGGER run_keeps_its_identity
            BEFORE UPDATE OF target, flow, window_start, window_end, rerun, attempt, origin, run ON run
            WHEN NEW.target <> OLD.target OR NEW.flow <> OLD.flow OR NEW.rerun <> OLD.rerun
                OR NEW.origin <> OLD.origin OR (OLD.run IS NOT NULL AND NEW.run IS NOT OLD.run)
                OR (OLD.origin = 'request' AND (NEW.window_start IS NOT OLD.window_start
                    OR NEW.window_end IS NOT OLD.window_end OR NEW.attempt <> OLD.attempt))
                OR (OLD.window_start IS NOT NULL AND NEW.window_start IS NULL)
            BEGIN SELECT RAISE(ABORT, 'a run may not change its identity'); END;
        """

    private static let claimColumns = """
        ALTER TABLE flow ADD COLUMN token TEXT NOT NULL DEFAULT '';
        ALTER TABLE flow ADD COLUMN compared_at INTEGER;
        ALTER TABLE flow ADD COLUMN newest_run_at INTEGER;
        ALTER TABLE flow ADD COLUMN needs_recheck INTEGER NOT NULL DEFAULT 0 CHECK (needs_recheck IN (0, 1));

        ALTER TABLE run ADD COLUMN claim TEXT CHECK (claim <> '');
        ALTER TABLE run ADD COLUMN claim_owner TEXT;
        ALTER TABLE run ADD COLUMN claimed_earliest INTEGER;
        ALTER TABLE run ADD COLUMN claimed_latest INTEGER;
        """

    /// The rules of claims. An open claim is the lock of its flow.
    ///
    /// Open requests from older files have no claim ID and together count as one claim.
    private static let oneClaim = """
        CREATE INDEX open_requests ON run (target, flow) WHERE state IN ('intended', 'inDoubt');

        CREATE TRIGGER one_open_claim BEFORE INSERT ON run
            WHEN NEW.state IN ('intended', 'inDoubt') AND EXISTS (
                SELECT 1 FROM run AS other
                WHERE other.target = NEW.target AND other.flow = NEW.flow
                    AND other.state IN ('intended', 'inDoubt') AND other.claim IS NOT NEW.claim)
            BEGIN SELECT RAISE(ABORT, 'a flow may have one open claim'); END;
        """
}
