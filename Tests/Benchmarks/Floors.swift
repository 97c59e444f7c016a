import CLibYAML
import Foundation
import GRDBSQLite

/// Floors: direct calls of the same libraries, which discard the results.
enum Floor {
    struct Failure: Error {}

    /// Scans YAML with libyaml, and discards the events.
    static func scan(_ bytes: [UInt8]) throws {
        var parser = yaml_parser_t()
        var event = yaml_event_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw Failure() }
        defer { yaml_parser_delete(&parser) }
        try bytes.withUnsafeBufferPointer { input in
            yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
            var isAtEnd = false
            while !isAtEnd {
                guard yaml_parser_parse(&parser, &event) == 1 else { throw Failure() }
                isAtEnd = event.type == YAML_STREAM_END_EVENT
                yaml_event_delete(&event)
            }
        }
    }

    /// Returns the query for the columns of runs that planning reads.
    static func plannedRuns(of table: String) -> String {
        """
        SELECT window_start, window_end, rerun, attempt, state, origin, run, column_name, column_date_format,
            column_timezone, recorded_at, failure, claim, claim_owner, claimed_earliest, claimed_latest,
            COALESCE(output_records, input_records)
        FROM \(table) ORDER BY window_start, window_end, rerun, attempt
        """
    }

    /// Adds up this many times.
    static func sum(_ count: Int) throws {
        var sum: Int64 = 0
        var time = Int64.random(in: 1...2)
        for _ in 0..<count {
            sum &+= time
            time &+= time & 1 == 0 ? 600 : 601
        }
        guard sum != 0 else { throw Failure() }
    }

    /// Reads every column of a query's rows.
    static func read(_ path: String, _ sql: String) throws {
        let database = try open(path)
        defer { sqlite3_close(database) }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else { throw Failure() }
        defer { sqlite3_finalize(statement) }
        var sum: Int64 = 0
        while sqlite3_step(statement) == SQLITE_ROW {
            for column in 0..<sqlite3_column_count(statement) {
                switch sqlite3_column_type(statement, column) {
                case SQLITE_TEXT:
                    sum &+= Int64(sqlite3_column_text(statement, column)[0])
                    sum &+= Int64(sqlite3_column_bytes(statement, column))
                default: sum &+= sqlite3_column_int64(statement, column)
                }
            }
        }
        guard sum != 0 else { throw Failure() }
    }

    /// Copies all tables of a ledger within SQLite, in one transaction.
    static func copy(_ path: String, to other: String) throws {
        let database = try open(other)
        defer { sqlite3_close(database) }
        try run("ATTACH '\(path)' AS source", database)
        try run("PRAGMA cache_size = -98304", database)
        try run("BEGIN", database)
        for table in ["target", "flow", "run"] {
            try run("INSERT OR IGNORE INTO main.\(table) SELECT * FROM source.\(table)", database)
        }
        try run("COMMIT", database)
    }

    /// Commits this many transactions, each with one short write and an fsync.
    static func commit(_ count: Int, to path: String) throws {
        let database = try open(path)
        defer { sqlite3_close(database) }
        try run("PRAGMA journal_mode = WAL", database)
        try run("PRAGMA synchronous = FULL", database)
        try run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT)", database)
        for _ in 0..<count {
            try run("BEGIN IMMEDIATE", database)
            try run("INSERT INTO t (text) VALUES ('POST /runs')", database)
            try run("COMMIT", database)
        }
    }

    private static func open(_ path: String) throws -> OpaquePointer {
        var database: OpaquePointer?
        guard sqlite3_open(path, &database) == SQLITE_OK, let database else { throw Failure() }
        return database
    }

    private static func run(_ sql: String, _ database: OpaquePointer) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw Failure() }
    }
}
