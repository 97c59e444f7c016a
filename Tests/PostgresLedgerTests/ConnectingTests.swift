import Foundation
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

@Suite("Connections that PostgreSQL refuses")
struct ConnectingTests {
    private func refusal(of url: String, retryTime: Duration = .seconds(1)) async -> LedgerError? {
        var options = PostgresLedger.Options()
        options.openingRetryTime = retryTime
        do {
            _ = try await PostgresLedger.open(url, targets: ["target"], mode: .readWrite, options: options)
            return nil
        } catch { return error }
    }

    @Test(
        "a lasting refusal ends after two attempts in every language",
        arguments: [
            ("28P01", "Passwort-Authentifizierung für Benutzer »sluice« fehlgeschlagen", "PGPASSWORD"),
            ("28000", "pg_hba.conf lehnt Verbindung ab für Host »10.0.0.1«, Benutzer »sluice«", "pg_hba.conf"),
            ("28000", "ロール\"sluice\"はログインが許可されません", "pg_hba.conf"), ("3D000", "la base « x » n'existe pas", "x"),
            ("42501", "keine Berechtigung für Datenbank x", "x"),
        ])
    func lasting(sqlState: String, message: String, advice: String) async throws {
        let server = try RefusingServer(sqlState: sqlState, severity: "FATAL", message: message)
        let error = await refusal(of: "postgres://sluice@127.0.0.1:\(server.port)/x")
        guard case .unusable(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(message) && reason.contains(advice), "\(reason)")
        #expect(!reason.contains(sqlState) && !reason.contains("LOCATION"), "\(reason)")
        #expect(server.count == 2)
    }

    @Test(
        "a passing refusal is retried until the time is over",
        arguments: [
            ("57P03", "das Datenbanksystem startet", false), ("57P01", "breche Verbindung ab", false),
            ("53300", "tut mir leid, schon zu viele Verbindungen", true), ("08P01", "server login failed", false),
            ("08P01", "no more connections allowed (max_client_conn)", true),
        ])
    func passing(sqlState: String, message: String, isBusy: Bool) async throws {
        let server = try RefusingServer(sqlState: sqlState, severity: "FATAL", message: message)
        let error = await refusal(of: "postgres://sluice@127.0.0.1:\(server.port)/x")
        switch error {
        case .unavailable(let reason): #expect(isBusy && reason.contains(message))
        case .unanswered(let reason): #expect(!isBusy && reason.contains(message))
        default: Issue.record("\(String(describing: error))")
        }
        #expect(server.count > 3)
    }

    @Test("a real server's wrong password, missing password and rejecting pg_hba.conf end at once")
    func real() async throws {
        let server = try await PostgresServer()
        try await server.run("CREATE ROLE locked LOGIN PASSWORD 'right'; CREATE ROLE outsider LOGIN")
        try await server.authenticate(
            "host all locked 127.0.0.1/32 scram-sha-256", "host all outsider 127.0.0.1/32 reject",
            "host all all 127.0.0.1/32 trust")
        for (url, words) in [
            ("postgres://locked:wrong@127.0.0.1:\(server.port)/postgres", "PGPASSWORD"),
            (server.url("postgres", user: "locked"), "PGPASSWORD"),
            (server.url("postgres", user: "outsider"), "pg_hba.conf on the server decides"),
        ] {
            let start = ContinuousClock.now
            guard case .unusable(let reason) = await refusal(of: url, retryTime: .seconds(20)) else {
                Issue.record("\(url)")
                continue
            }
            #expect(reason.contains(words), "\(reason)")
            #expect(ContinuousClock.now - start < .seconds(10))
        }
        #expect(server.log.components(separatedBy: "password authentication failed").count - 1 == 2)
        try await server.stop()
    }

    @Test("a name that cannot be looked up for now is tried again, one that does not exist is not")
    func names() {
        func failure(_ code: Int32) -> ConnectionFailure {
            let reason = String(cString: gai_strerror(code))
            return ConnectionFailure("could not translate host name \"db\" to address: \(reason)\n")
        }
        #expect(failure(EAI_AGAIN).isTransient)
        #expect(!failure(EAI_NONAME).isTransient)
    }

    @Test("of several hosts, one that refuses for good decides")
    func severalHosts() {
        let refused = """
            connection to server at "a" (10.0.0.1), port 5432 failed: Connection refused
            \tIs the server running on that host and accepting TCP/IP connections?

            """
        func answer(_ sqlState: String) -> String {
            "connection to server at \"b\" (10.0.0.2), port 5432 failed: FATAL:  \(sqlState): nein\nLOCATION:  f, a.c:1\n"
        }
        #expect(ConnectionFailure(refused).isTransient)
        #expect(ConnectionFailure(refused + answer("57P03")).isTransient)
        #expect(!ConnectionFailure(refused + answer("28P01")).isTransient)
        #expect(!ConnectionFailure("server does not support SSL, but SSL was required").isTransient)
    }
}

@Suite("Settings of a role on PostgreSQL")
struct SettingTests {
    @Test(
        "what a role or database sets otherwise changes nothing",
        arguments: [
            "default_transaction_read_only = on", "array_nulls = off", "client_min_messages = error",
            "default_transaction_isolation = 'serializable'", "search_path = 'decoy, pg_catalog'",
            "standard_conforming_strings = off", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'",
            "transform_null_equals = on", "quote_all_identifiers = on", "row_security = off",
        ])
    func settings(setting: String) async throws {
        let database = try await LedgerDatabase()
        let role = "set_\(database.name)"
        try await database.run(
            "CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \(database.name) TO \(role); CREATE SCHEMA decoy",
            "CREATE FUNCTION decoy.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$",
            "CREATE FUNCTION decoy.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE sql AS $$SELECT 0::bigint$$",
            "GRANT USAGE ON SCHEMA decoy TO \(role); ALTER ROLE \(role) SET \(setting)")
        let ledger = try await database.open(user: role)
        try await ledger.add(1)
        try await ledger.add(2)
        #expect(try await ledger.windows == 2)
        #expect(try await ledger.verify().isEmpty)
        try await database.run("UPDATE sluice.ledger SET server = 'another'")
        try await database.open(user: role).add(3)
        #expect(try await database.open(.readOnly, user: role).windows == 3)
    }
}

@Suite("Rows that PostgreSQL hides")
struct HiddenRowTests {
    private func make() async throws -> (database: LedgerDatabase, apply: String, read: String) {
        let database = try await LedgerDatabase()
        let (apply, read) = ("owner_\(database.name)", "reader_\(database.name)")
        try await database.run(
            "CREATE ROLE \(apply) LOGIN; CREATE ROLE \(read) LOGIN; GRANT CREATE ON DATABASE \(database.name) TO \(apply)"
        )
        let ledger = try await database.open(user: apply)
        for window in 0..<3 { try await ledger.add(Int64(window)) }
        await ledger.close()
        try await database.run(
            "GRANT USAGE ON SCHEMA sluice TO \(read); GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO \(read)")
        return (database, apply, read)
    }

    @Test(
        "row level security is an error, with what to grant, not a smaller ledger",
        arguments: [
            ["ALTER TABLE sluice.run ENABLE ROW LEVEL SECURITY"],
            ["ALTER TABLE sluice.target ENABLE ROW LEVEL SECURITY"],
            [
                "ALTER TABLE sluice.run ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY later ON sluice.run USING (window_start > 0)",
            ],
        ])
    func reader(statements: [String]) async throws {
        let (database, apply, read) = try await make()
        #expect(try await database.open(.readOnly, user: read).windows == 3)
        for statement in statements { try await database.run(statement) }
        let reason = await refusal { _ = try await database.open(.readOnly, user: read) }
        #expect(reason.contains("row level security") && reason.contains("ALTER ROLE \(read) BYPASSRLS"), "\(reason)")
        // The owner sees all rows.
        #expect(try await database.open(user: apply).windows == 3)
        try await database.run("ALTER ROLE \(read) BYPASSRLS")
        #expect(try await database.open(.readOnly, user: read).windows == 3)
    }

    @Test("row level security that comes while a ledger is open, or is forced on the owner, is an error")
    func later() async throws {
        let (database, apply, read) = try await make()
        let early = try await database.open(.readOnly, user: read)
        try await database.run(
            "ALTER TABLE sluice.run ENABLE ROW LEVEL SECURITY; ALTER TABLE sluice.run FORCE ROW LEVEL SECURITY")
        #expect(await refusal { _ = try await early.windows }.contains("row-level security"))
        #expect(await refusal { _ = try await database.open(user: apply) }.contains("ALTER ROLE \(apply) BYPASSRLS"))
    }

    @Test("a view in the place of a table is refused")
    func view() async throws {
        let (database, _, read) = try await make()
        try await database.run(
            "ALTER TABLE sluice.run RENAME TO all_runs; CREATE VIEW sluice.run AS SELECT * FROM sluice.all_runs WHERE false; GRANT SELECT ON sluice.run TO \(read)"
        )
        let reason = await refusal { _ = try await database.open(.readOnly, user: read) }
        #expect(reason.contains("sluice.run is not a table"), "\(reason)")
    }
}
