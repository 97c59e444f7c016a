@testable import SQLiteLedger

extension LedgerSchema {
    /// The statements that created a file of the first version.
    static let firstVersion = """
        CREATE TABLE target (
            id INTEGER PRIMARY KEY,
            identity TEXT NOT NULL UNIQUE
        ) STRICT;

        CREATE TABLE flow (
            target INTEGER NOT NULL REFERENCES target (id),
            flow TEXT NOT NULL CHECK (length(flow) = 36),
            revision INTEGER NOT NULL CHECK (revision > 0),
            contacted_at INTEGER,
            column_name TEXT,
            column_date_format TEXT,
            column_timezone TEXT,
            PRIMARY KEY (target, flow)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE run (
            target INTEGER NOT NULL,
            flow TEXT NOT NULL,
            window_start INTEGER,
            window_end INTEGER,
            rerun TEXT NOT NULL,
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            state TEXT NOT NULL CHECK (state IN ('intended', 'accepted', 'rejected', 'inDoubt', 'released',
                'succeeded', 'partial', 'failed')),
            origin TEXT NOT NULL CHECK (origin IN ('request', 'service')),
            run TEXT CHECK (run <> ''),
            column_name TEXT,
            column_date_format TEXT,
            column_timezone TEXT,
            recorded_at INTEGER NOT NULL,
            failure TEXT,
            request TEXT,
            response TEXT,
            status TEXT,
            input_records INTEGER,
            output_records INTEGER,
            failed_records INTEGER,
            input_files INTEGER,
            updated_at INTEGER NOT NULL,
            file TEXT,
            line INTEGER,
            commit_id TEXT,
            author TEXT,
            ci_run TEXT,
            CHECK ((window_start IS NULL) = (window_end IS NULL)),
            CHECK (window_start < window_end),
            CHECK (window_start IS NOT NULL OR origin = 'service'),
            CHECK ((run IS NOT NULL) = (state IN ('accepted', 'succeeded', 'partial', 'failed'))),
            CHECK (run IS NOT NULL OR origin = 'request'),
            CHECK (column_name IS NULL OR origin = 'request'),
            UNIQUE (target, flow, window_start, window_end, rerun, attempt),
            UNIQUE (target, run),
            FOREIGN KEY (target, flow) REFERENCES flow (target, flow) DEFERRABLE INITIALLY DEFERRED
        ) STRICT;

        \(steps[0].rules)
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = 1;
        """
}
