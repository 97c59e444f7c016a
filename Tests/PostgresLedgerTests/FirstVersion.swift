@testable import PostgresLedger

extension PostgresSchema {
    /// The statements that created a ledger of the first version.
    static let firstVersion = """
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
            revision bigint NOT NULL CHECK (revision > 0),
            token text COLLATE "C" NOT NULL,
            contacted_at bigint,
            compared_at bigint,
            newest_run_at bigint,
            needs_recheck boolean NOT NULL DEFAULT false,
            column_name text,
            column_date_format text,
            column_timezone text,
            PRIMARY KEY (target, flow)
        ) WITH (fillfactor = 50);

        CREATE TABLE sluice.run (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            target bigint NOT NULL,
            flow uuid NOT NULL,
            window_start bigint,
            window_end bigint,
            rerun text COLLATE "C" NOT NULL,
            attempt bigint NOT NULL CHECK (attempt > 0),
            state text NOT NULL CHECK (state IN ('intended', 'accepted', 'rejected', 'inDoubt', 'released',
                'succeeded', 'partial', 'failed')),
            origin text NOT NULL CHECK (origin IN ('request', 'service')),
            run text COLLATE "C" CHECK (run <> ''),
            column_name text,
            column_date_format text,
            column_timezone text,
            recorded_at bigint NOT NULL,
            failure text,
            claim text COLLATE "C" CHECK (claim <> ''),
            claim_owner text,
            claimed_earliest bigint,
            claimed_latest bigint,
            request text,
            response text,
            status text,
            input_records bigint,
            output_records bigint,
            failed_records bigint,
            input_files bigint,
            updated_at bigint NOT NULL,
            file text,
            line bigint,
            commit_id text,
            author text,
            ci_run text,
            reason text,
            CHECK ((window_start IS NULL) = (window_end IS NULL)),
            CHECK (window_start < window_end),
            CHECK (window_start IS NOT NULL OR origin = 'service'),
            CHECK ((run IS NOT NULL) = (state IN ('accepted', 'succeeded', 'partial', 'failed'))),
            CHECK (run IS NOT NULL OR origin = 'request'),
            CHECK (column_name IS NULL OR origin = 'request'),
            FOREIGN KEY (target, flow) REFERENCES sluice.flow (target, flow)
        );

        \(steps[0].rules)
        """
}
