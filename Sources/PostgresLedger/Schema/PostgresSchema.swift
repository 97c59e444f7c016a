import Ledger

/// The tables of a ledger on PostgreSQL, in a separate schema. Each migration step runs in one transaction and
/// increments `sluice.ledger.version`. Steps are append-only: never edit an existing step, because servers have already
/// run it.
package enum PostgresSchema {
    struct Step: Sendable {
        /// New columns in the tables of an older ledger. New ledgers have them from the start.
        var columns = ""
        /// Indexes, functions and triggers, also of new ledgers.
        var rules = ""
    }

    static let steps = [Step(rules: firstStep), Step(rules: incompleteRequests), Step(rules: corrections)]
    package static var version: Int { steps.count }

    /// Returns the statements that bring a ledger to the current version.
    ///
    /// - Parameter version: the version of the ledger; 0 for none.
    static func migration(from version: Int) -> [String] {
        guard version > 0 else { return [tables] + steps.map(\.rules) }
        return steps.dropFirst(version).flatMap { [$0.columns, $0.rules] }.filter { !$0.isEmpty }
    }

    /// Compares text in keys by its bytes.
    private static let collation = "COLLATE \"C\""

    static func type(of kind: ColumnKind) -> String {
        switch kind {
        case .integer: "bigint"
        case .text: "text"
        case .boolean: "boolean"
        }
    }

    /// Key of the advisory lock that a migration holds: `sluice` in ASCII.
    static let lock = 0x736c_7569_6365

    /// SQL for an administrator to run when roles may not create a schema, with the privileges that they need.
    package static var sql: String {
        """
        -- The ledger of sluice, version \(version). Run it once in the ledger's database:
        --   sluice ledger sql | psql --single-transaction DATABASE
        \(migration(from: 0).joined(separator: "\n"))
        \(grants)
        """
    }

    private static let grants = """

        -- Two roles, which must exist: one applies, one only reads (plan, status, history, report, export, verify).
        --   GRANT USAGE ON SCHEMA sluice TO sluice_apply, sluice_read;
        --   GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO sluice_apply, sluice_read;
        --   GRANT INSERT ON sluice.target, sluice.flow, sluice.run TO sluice_apply;
        --   GRANT UPDATE ON sluice.ledger, sluice.flow, sluice.run TO sluice_apply;
        --   GRANT DELETE ON sluice.run TO sluice_apply;
        -- Both must see all rows: where row level security is on for these tables, they need BYPASSRLS.

        """

    /// Allows retries of runs that ended with failed records or without any records. The program checks that the
    /// manifest requests such a retry.
    private static let incompleteRequests = """
        DROP INDEX sluice.one_living_request;
        CREATE UNIQUE INDEX one_living_request ON sluice.run (target, flow, window_start, window_end, rerun)
            WHERE origin = 'request' AND (state IN ('intended', 'inDoubt', 'accepted')
                OR state = 'succeeded' AND coalesce(output_records, input_records, 1) > 0);
        UPDATE sluice.ledger SET version = 2;
        """

    /// Allows the service to correct an ended run's end, and the window of a run found on the service.
    private static let corrections = """
        DROP TRIGGER run_moves_along_the_arrows ON sluice.run;
        CREATE TRIGGER run_moves_along_the_arrows BEFORE UPDATE OF state ON sluice.run FOR EACH ROW
            WHEN (NEW.state <> OLD.state AND NOT (OLD.state = 'intended'
                OR (OLD.state = 'inDoubt' AND NEW.state IN ('accepted', 'released', 'succeeded', 'partial', 'failed'))
                OR (OLD.state IN ('accepted', 'succeeded', 'partial', 'failed')
                    AND NEW.state IN ('succeeded', 'partial', 'failed'))))
            EXECUTE FUNCTION sluice.refuse('illegal run state transition');

        DROP TRIGGER run_keeps_its_identity ON sluice.run;
        CREATE TRIGGER run_keeps_its_identity BEFORE UPDATE ON sluice.run FOR EACH ROW
            WHEN (NEW.target <> OLD.target OR NEW.flow <> OLD.flow OR NEW.rerun <> OLD.rerun
                OR NEW.origin <> OLD.origin OR (OLD.run IS NOT NULL AND NEW.run IS DISTINCT FROM OLD.run)
                OR (OLD.origin = 'request' AND (NEW.window_start IS DISTINCT FROM OLD.window_start
                    OR NEW.window_end IS DISTINCT FROM OLD.window_end OR NEW.attempt <> OLD.attempt))
                OR (OLD.window_start IS NOT NULL AND NEW.window_start IS NULL))
            EXECUTE FUNCTION sluice.refuse('a run may not change its identity');

        UPDATE sluice.ledger SET version = 3;
        """

    /// The tables of a new ledger. Their constraints and the rules of the steps enforce the essential guarantees: one row
    /// per identity, one active request per window, one row per run ID, one open claim per flow, only the state
    /// transitions of `RunState.canBecome`, and no deletions. Text in keys is compared bytewise, as everywhere in Sluice.
    private static let tables = """
        CREATE SCHEMA sluice;

        CREATE TABLE sluice.ledger (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            version integer NOT NULL,
            server text NOT NULL,
            server_changes bigint NOT NULL DEFAULT 0,
            server_changed_at timestamptz
        );

        CREATE TABLE sluice.target (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            identity text COLLATE "C" NOT NULL UNIQUE
        );

        CREATE TABLE sluice.flow (
            target bigint NOT NULL REFERENCES sluice.target (id),
            flow uuid NOT NULL,
            \(FlowColumns.all.definitions(type, collation: collation)),
            PRIMARY KEY (target, flow)
        ) WITH (fillfactor = 50);

        CREATE TABLE sluice.run (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            target bigint NOT NULL,
            flow uuid NOT NULL,
            \(RunColumns.all.definitions(type, collation: collation)),
            \(RunColumns.constraints),
            FOREIGN KEY (target, flow) REFERENCES sluice.flow (target, flow)
        );
        """

    /// The first rules.
    ///
    /// `server_identity` distinguishes the original server from one that may have lost commits (a restored server or a
    /// promoted standby). Parts that the server does not show to its users are omitted.
    private static let firstStep = """
        CREATE UNIQUE INDEX one_row_for_an_identity ON sluice.run
            (target, flow, window_start NULLS FIRST, window_end NULLS FIRST, rerun, attempt);
        CREATE UNIQUE INDEX one_row_for_an_unknown_window ON sluice.run (target, flow, rerun, attempt)
            WHERE window_start IS NULL;
        CREATE UNIQUE INDEX one_row_for_a_run_id ON sluice.run (target, run) WHERE run IS NOT NULL;
        CREATE UNIQUE INDEX one_living_request ON sluice.run (target, flow, window_start, window_end, rerun)
            WHERE origin = 'request' AND state IN ('intended', 'inDoubt', 'accepted', 'succeeded', 'partial');
        CREATE INDEX open_requests ON sluice.run (target, flow) WHERE state IN ('intended', 'inDoubt');

        CREATE FUNCTION sluice.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
            END $$;

        CREATE FUNCTION sluice.refuse_second_claim() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                -- A commit has its flow's row locked: there is no other claim under way.
                IF EXISTS (
                    SELECT 1 FROM sluice.run AS other
                    WHERE other.target = NEW.target AND other.flow = NEW.flow
                        AND other.state IN ('intended', 'inDoubt') AND other.claim IS DISTINCT FROM NEW.claim)
                THEN
                    RAISE EXCEPTION 'a flow may have one open claim' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$;

        CREATE FUNCTION sluice.refuse_forgotten_run() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.origin = 'request' OR NOT EXISTS (
                    SELECT 1 FROM sluice.run AS claimed
                    WHERE claimed.target = OLD.target AND claimed.flow = OLD.flow
                        AND claimed.state IN ('intended', 'inDoubt'))
                THEN
                    RAISE EXCEPTION 'a run may not be forgotten' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN OLD;
            END $$;

        CREATE TRIGGER one_open_claim BEFORE INSERT ON sluice.run FOR EACH ROW
            WHEN (NEW.state IN ('intended', 'inDoubt'))
            EXECUTE FUNCTION sluice.refuse_second_claim();

        -- A commit may make several moves of a row at once.
        CREATE TRIGGER run_moves_along_the_arrows BEFORE UPDATE OF state ON sluice.run FOR EACH ROW
            WHEN (NEW.state <> OLD.state AND NOT (OLD.state = 'intended'
                OR (OLD.state = 'inDoubt' AND NEW.state IN ('accepted', 'released', 'succeeded', 'partial', 'failed'))
                OR (OLD.state = 'accepted' AND NEW.state IN ('succeeded', 'partial', 'failed'))))
            EXECUTE FUNCTION sluice.refuse('a run may not move so');

        CREATE TRIGGER run_keeps_its_identity BEFORE UPDATE ON sluice.run FOR EACH ROW
            WHEN (NEW.target <> OLD.target OR NEW.flow <> OLD.flow OR NEW.rerun <> OLD.rerun
                OR NEW.origin <> OLD.origin OR (OLD.run IS NOT NULL AND NEW.run IS DISTINCT FROM OLD.run)
                OR (OLD.window_start IS NOT NULL AND (NEW.window_start IS DISTINCT FROM OLD.window_start
                    OR NEW.window_end IS DISTINCT FROM OLD.window_end OR NEW.attempt <> OLD.attempt)))
            EXECUTE FUNCTION sluice.refuse('a run may not change its identity');

        CREATE TRIGGER run_is_never_forgotten BEFORE DELETE ON sluice.run FOR EACH ROW
            EXECUTE FUNCTION sluice.refuse_forgotten_run();
        CREATE TRIGGER runs_are_never_forgotten BEFORE TRUNCATE ON sluice.run
            EXECUTE FUNCTION sluice.refuse('a run may not be forgotten');

        CREATE TRIGGER flow_revision_counts_up BEFORE UPDATE OF revision ON sluice.flow FOR EACH ROW
            WHEN (NEW.revision < OLD.revision)
            EXECUTE FUNCTION sluice.refuse('a revision may not go back');
        CREATE TRIGGER flow_is_never_forgotten BEFORE DELETE ON sluice.flow FOR EACH ROW
            EXECUTE FUNCTION sluice.refuse('a flow may not be forgotten');

        CREATE FUNCTION sluice.server_identity() RETURNS text LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog AS $$
            DECLARE
                cluster text := '-';
                timeline text := '-';
            BEGIN
                BEGIN
                    SELECT system_identifier INTO cluster FROM pg_control_system();
                EXCEPTION WHEN OTHERS THEN cluster := '-';
                END;
                BEGIN
                    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
                EXCEPTION WHEN OTHERS THEN timeline := '-';
                END;
                RETURN concat_ws('/', cluster, timeline,
                    (SELECT oid FROM pg_database WHERE datname = current_database()),
                    'sluice.flow'::regclass::oid);
            END $$;

        INSERT INTO sluice.ledger (version, server) VALUES (1, sluice.server_identity());
        """
}
