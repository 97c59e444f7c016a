import FlowRuns
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

@Suite("Opening a ledger on PostgreSQL")
struct OpeningTests {
    @Test("a database without tables reads as an empty ledger, and is not modified")
    func empty() async throws {
        let database = try await LedgerDatabase()
        let ledger = try await database.open(.readOnly)
        #expect(try await ledger.flows().isEmpty)
        #expect(try await ledger.windows == 0)
        #expect(try await ledger.verify().isEmpty)
        #expect(try await database.run("SELECT to_regnamespace('sluice') IS NULL") == "t")
        let commit = FlowCommit(
            expecting: Revision(), record: FlowRecord(id: LedgerDatabase.flow, revision: Revision(number: 1)),
            changes: [])
        await #expect(throws: LedgerError.self) { try await ledger.commit(commit) }
    }

    @Test("several processes can create the tables concurrently")
    func together() async throws {
        let database = try await LedgerDatabase()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    let ledger = try await database.open()
                    var record = FlowLedger(try await ledger.snapshot(of: LedgerDatabase.flow))
                    record.record(column: DeltaColumn(name: "column \(number)"))
                    _ = try await ledger.commit(record.commit(nonce: "\(number)"))
                    await ledger.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await database.run("SELECT count(*) FROM sluice.ledger") == "1")
        #expect(try await database.run("SELECT count(*) FROM sluice.target") == "1")
        #expect(try await database.open(.readOnly).flows().count == 1)
    }

    @Test("a migrated ledger has the columns of a new one, which are the ledger's columns")
    func columns() async throws {
        let (new, old) = (try await LedgerDatabase(), try await LedgerDatabase())
        try await old.run(PostgresSchema.firstVersion)
        func columns(_ database: LedgerDatabase, _ what: String) async throws -> String {
            try await database.open().close()
            return try await database.run(
                """
                SELECT string_agg(\(what), ',' ORDER BY table_name, column_name) FROM information_schema.columns
                    WHERE table_schema = 'sluice' AND table_name IN ('target', 'flow', 'run')
                """)
        }
        let whole = "concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable)"
        #expect(try await columns(old, whole) == columns(new, whole))
        let names = try await columns(new, "CASE table_name WHEN 'run' THEN column_name END")
        #expect(names == (RunColumns.all.map(\.name) + ["id", "target", "flow"]).sorted().joined(separator: ","))
    }

    @Test("a newer ledger is rejected, even by commits of a process that opened it earlier")
    func newer() async throws {
        let database = try await LedgerDatabase()
        let early = try await database.open()
        try await early.add(1)
        let prepared = try await early.prepared(2)
        try await database.run("UPDATE sluice.ledger SET version = 99")
        for mode in [PostgresLedger.Mode.readOnly, .readWrite] {
            await #expect(throws: LedgerError.newer(found: 99, supported: PostgresSchema.version)) {
                _ = try await database.open(mode)
            }
        }
        await #expect(throws: LedgerError.newer(found: 99, supported: PostgresSchema.version)) {
            try await early.commit(prepared)
        }
    }

    @Test("a target keeps its rows when its identity is spelled differently")
    func identities() async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(1)
        let renamed = try await PostgresLedger.open(database.url, targets: ["new", "target"], mode: .readWrite)
        #expect(try await renamed.windows == 1)
        let other = try await PostgresLedger.open(database.url, targets: ["other"], mode: .readWrite)
        #expect(try await other.windows == 0)
    }

    @Test("a risky server setting causes a warning, an unsupported encoding an error")
    func server() async throws {
        let database = try await LedgerDatabase()
        var warnings: [String] = []
        _ = try await database.open(warn: { warnings.append($0) })
        #expect(warnings.count == 1 && warnings[0].contains("fsync is off"))
        let latin = "latin_\(database.name)"
        try await database.run("CREATE DATABASE \(latin) ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
        let reason = await refusal {
            _ = try await PostgresLedger.open(database.server.url(latin), targets: ["target"], mode: .readWrite)
        }
        #expect(reason.contains("create one with ENCODING 'UTF8'"))
    }

    @Test("a wrong address fails immediately, an unreachable server after retries")
    func addresses() async throws {
        let server = try await PostgresServer.shared()
        func refused(_ url: String) async -> LedgerError? {
            var options = PostgresLedger.Options()
            options.openingRetryTime = .milliseconds(300)
            do {
                _ = try await PostgresLedger.open(url, targets: ["target"], mode: .readWrite, options: options)
                return nil
            } catch {
                return error
            }
        }
        for url in [server.url("nowhere"), server.url("postgres", user: "nobody"), "postgres://sluice@no..such.host/x"]
        {
            guard case .unusable = await refused(url) else {
                Issue.record("\(url): \(String(describing: await refused(url)))")
                continue
            }
        }
        guard case .unanswered(let reason) = await refused("postgres://sluice@127.0.0.1:1/x") else {
            Issue.record("port 1 answers")
            return
        }
        #expect(reason.contains("refused") && !reason.contains("\n"))
    }

    @Test("if libpq is missing, the error names the package to install")
    func missingLibrary() {
        #expect(throws: LedgerError.self) { try LibPQ(names: ["libnothing.so.0"]) }
        do { _ = try LibPQ(names: ["libnothing.so.0"]) } catch { #expect(error.description.contains("libpq")) }
    }
}

@Suite("Rights on PostgreSQL")
struct RightsTests {
    /// Creates a database in which an administrator has created the tables and two roles with the printed SQL.
    private func make() async throws -> (LedgerDatabase, apply: String, read: String) {
        let database = try await LedgerDatabase()
        let (apply, read) = ("apply_\(database.name)", "read_\(database.name)")
        let grants = PostgresSchema.sql.split(separator: "\n").filter { $0.hasPrefix("--   GRANT") }.map {
            $0.dropFirst(2).replacing("sluice_apply", with: apply).replacing("sluice_read", with: read)
        }
        #expect(grants.count == 5)
        try await database.run("CREATE ROLE \(apply) LOGIN; CREATE ROLE \(read) LOGIN")
        try await database.run(PostgresSchema.sql)
        try await database.run(grants.joined(separator: "\n"))
        return (database, apply, read)
    }

    @Test("the printed rights are sufficient to apply")
    func apply() async throws {
        let (database, apply, _) = try await make()
        let ledger = try await database.open(user: apply)
        try await ledger.add(1)
        // On another server, every flow is marked for a recheck.
        try await database.run("UPDATE sluice.ledger SET server = 'another'")
        let again = try await database.open(user: apply)
        #expect(try await again.snapshot(of: LedgerDatabase.flow).record.needsRecheck)
        // A refresh that deletes a row needs the right to do so.
        var record = FlowLedger(try await again.snapshot(of: LedgerDatabase.flow))
        let run = ObservedRun(
            id: RunID("r1")!, window: nil, createdAt: Timestamp(milliseconds: 1), status: "inProgress", end: nil)
        func listing(_ run: ObservedRun) -> RunListing {
            RunListing(runs: [run], date: Timestamp(milliseconds: 10_000_000), isComplete: true)
        }
        let settling = ClaimSettlementPolicy(settle: .seconds(60), seenFor: .seconds(100), waitedFrom: record.base)
        _ = try record.observe(listing(run), settling: settling, at: Timestamp(milliseconds: 1))
        let sighting = record.commit(nonce: "a")
        #expect(try await again.commit(sighting) == .done)
        record.committed(sighting)
        try record.claim(LedgerDatabase.claim(7))
        let claim = record.commit(nonce: "claim")
        #expect(try await again.commit(claim) == .done)
        record.committed(claim)
        let told = ObservedRun(
            id: RunID("r1")!, window: LedgerDatabase.identity(7).window, createdAt: Timestamp(milliseconds: 1),
            status: "inProgress", end: nil)
        #expect(
            try record.observe(listing(told), settling: settling, at: Timestamp(milliseconds: 2)).adopted.count == 1)
        #expect(try await again.commit(record.commit(nonce: "b")) == .done)
        #expect(try await again.verify().isEmpty)
    }

    @Test("the printed rights for readers are sufficient to read, but not to write")
    func read() async throws {
        let (database, apply, read) = try await make()
        try await database.open(user: apply).add(1)
        let ledger = try await database.open(.readOnly, user: read)
        #expect(try await ledger.windows == 1)
        #expect(try await ledger.verify().isEmpty)
        let reason = await refusal { try await database.open(user: read).add(2) }
        #expect(reason.contains("permission denied") && reason.contains("sluice ledger sql"))
    }

    @Test("without the right to create tables, the error suggests the command that prints the SQL")
    func noSchema() async throws {
        let database = try await LedgerDatabase()
        try await database.run("CREATE ROLE poor_\(database.name) LOGIN")
        let reason = await refusal { _ = try await database.open(user: "poor_\(database.name)") }
        #expect(reason.contains("permission denied for database") && reason.contains("sluice ledger sql"))
    }

    @Test("a lock on the ledger's row, such as of a stopped client, does not prevent opening")
    func heldRow() async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(1)
        let rival = try database.connect()
        try rival.run("BEGIN")
        try rival.run("SELECT FROM sluice.ledger FOR UPDATE")
        let ledger = try await database.open()
        try await ledger.add(2)
        #expect(try await ledger.windows == 2)
    }
}
