import FlowRuns
import Foundation
import Ledger
import TestSupport
import Testing

@testable import PostgresLedger

@Suite("Faults of a PostgreSQL server", .serialized)
struct FaultTests {
    @Test(
        "a commit waits for its unfinished first attempt, and is then recognised, or made after a rollback",
        arguments: [("COMMIT", 1), ("ROLLBACK", 2)])
    func firstAttemptUnderWay(end: String, windows: Int) async throws {
        let database = try await LedgerDatabase()
        let ledger = try await database.open()
        try await ledger.add(1)
        let commit = try await ledger.prepared(2, nonce: "first")
        // The backend of a lost client completes its statements.
        let first = try database.connect()
        try first.run("BEGIN")
        try first.run("UPDATE sluice.flow SET revision = revision + 1, token = 'first'")
        async let second = ledger.commit(commit)
        try await database.waitUntilOneWaits(for: first)
        try first.run(end)
        #expect(try await second == .done)
        #expect(try await ledger.windows == windows, "what the first attempt did is not done again")
    }

    @Test("lost connections are reestablished")
    func lostConnections() async throws {
        let database = try await LedgerDatabase()
        let ledger = try await database.open()
        for window in 0..<5 {
            try await ledger.add(Int64(window))
            try await database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database.name)' AND pid <> pg_backend_pid()"
            )
        }
        #expect(try await ledger.windows == 5)
    }

    @Test("a server without synchronous commits is rejected", arguments: ["off", "local"])
    func synchronousCommit(value: String) async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(1)
        try await database.run("ALTER DATABASE \(database.name) SET synchronous_commit = \(value)")
        let ledger = try await database.open()
        let reason = await refusal { try await ledger.add(2) }
        #expect(reason.contains("synchronous_commit is \(value)"))
        #expect(try await ledger.windows == 1)
    }

    @Test("a statement timeout and a locked flow are reported as busy")
    func statementTimeout() async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(1)
        try await database.run("ALTER DATABASE \(database.name) SET statement_timeout = '2s'")
        let ledger = try await database.open { $0.retryTime = .seconds(4) }
        let commit = try await ledger.prepared(2)
        let rival = try database.connect()
        try rival.run("BEGIN")
        try rival.run("UPDATE sluice.flow SET token = token")
        let error = await #expect(throws: LedgerError.self) { try await ledger.commit(commit) }
        guard case .busy(let reason) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(reason.contains("statement timeout"))
        try rival.run("COMMIT")
        #expect(try await ledger.commit(commit) == .done)
    }

    /// Creates a role with a limit of one connection and all rights to the ledger.
    private func roleWithOneConnection(to database: LedgerDatabase) async throws -> String {
        let role = "few_\(database.name)"
        try await database.run(
            "CREATE ROLE \(role) LOGIN CONNECTION LIMIT 1; GRANT ALL ON SCHEMA sluice TO \(role); GRANT ALL ON ALL TABLES IN SCHEMA sluice TO \(role)"
        )
        return role
    }

    @Test("a role with a connection limit uses the connections that it has")
    func connectionLimit() async throws {
        let database = try await LedgerDatabase()
        try await database.open().add(0)
        let role = try await roleWithOneConnection(to: database)
        let ledger = try await database.open(user: role)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await ledger.windows } }
            for try await windows in group { #expect(windows == 1) }
        }
        let error = await #expect(throws: LedgerError.self) { _ = try await database.open(user: role) }
        guard case .unavailable = error else { return #expect(Bool(false), "\(String(describing: error))") }
        await ledger.close()
    }

    @Test("a call whose new connection is refused uses a connection that is returned meanwhile")
    func refusedWhileOneComesBack() async throws {
        let server = try await PostgresServer()
        let database = try await LedgerDatabase(on: server)
        try await database.open().add(0)
        let ledger = try await database.open(user: roleWithOneConnection(to: database))
        // New connections now take so long that the other call is finished when one is refused.
        try await server.run("ALTER SYSTEM SET pre_auth_delay = '1s'")
        try await server.run("SELECT pg_reload_conf()")
        async let one = ledger.windows
        async let other = ledger.windows
        #expect(try await one + other == 2)
        await ledger.close()
        try await server.stop()
    }

    @Test("a hanging server causes a clear error, and the same commit succeeds once it resumes")
    func hanging() async throws {
        let database = try await LedgerDatabase(on: PostgresServer())
        let ledger = try await database.open {
            $0.answerLimit = .seconds(2); $0.retryTime = .seconds(4);
        }
        let commit = try await ledger.prepared(1)
        try database.server.signal(SIGSTOP)
        let error = await #expect(throws: LedgerError.self) { try await ledger.commit(commit) }
        try database.server.signal(SIGCONT)
        guard case .unanswered = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(try await ledger.commit(commit) == .done)
        #expect(try await ledger.windows == 1)
        try await database.server.stop()
    }

    @Test("a commit that may not have been replicated is unanswered, and succeeds once it is replicated")
    func replication() async throws {
        let server = try await PostgresServer()
        let database = try await LedgerDatabase(on: server)
        let ledger = try await database.open { $0.retryTime = .zero }
        try await ledger.add(0)
        let commit = try await ledger.prepared(1)
        func cancelWait() async throws {
            let waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            try await wait(for: "a commit that waits for a standby") {
                try await !server.run("SELECT pg_cancel_backend(pid) \(waiting)").isEmpty
            }
        }
        try await server.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try await server.run("SELECT pg_reload_conf()")
        // Commits wait only once the checkpointer has read the setting, which takes as long as the machine is busy.
        async let probe: Void = wait(for: "a probe that waited for a standby") {
            try await server.run("CREATE TEMPORARY TABLE probe ()")
            return server.log.contains("canceling wait for synchronous replication")
        }
        try await cancelWait()
        try await probe
        for attempt in 1...2 {
            async let cancelled: Void = cancelWait()
            let error = await #expect(throws: LedgerError.self) { try await ledger.commit(commit) }
            try await cancelled
            guard case .unanswered(let reason) = error else {
                return #expect(Bool(false), "attempt \(attempt): \(String(describing: error))")
            }
            #expect(reason.contains("synchronous replication"))
        }
        try await server.run("ALTER SYSTEM RESET synchronous_standby_names")
        try await server.run("SELECT pg_reload_conf()")
        #expect(try await ledger.commit(commit) == .done)
        #expect(try await ledger.windows == 2)
        try await server.stop()
    }

    @Test("a server killed at random moments neither loses nor duplicates commits")
    func killedServer() async throws {
        let server = try await PostgresServer(settings: ["fsync=on"])
        let database = try await LedgerDatabase(on: server)
        let ledger = try await database.open { $0.retryTime = .seconds(120) }
        let work = Task {
            for window in 0..<150 { try await ledger.add(Int64(window)) }
        }
        for _ in 0..<2 {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...300)))
            try await server.kill()
            try await server.start()
        }
        try await work.value
        #expect(try await ledger.windows == 150)
        #expect(try await ledger.verify().isEmpty)
        try await server.stop()
    }

    @Test("on a full disk, claims fail and no data is lost")
    func fullDisk() async throws {
        guard let disk = try await SmallDisk(megabytes: 96) else { return }
        let server = try await PostgresServer(settings: ["fsync=on", "max_wal_size=32MB"], in: disk.folder)
        let database = try await LedgerDatabase(on: server)
        let ledger = try await database.open { $0.retryTime = .seconds(1) }
        try await ledger.add(0)
        try disk.fill()
        var refused: LedgerError?
        var kept = 1
        for window in 1..<400 where refused == nil {
            var record = FlowLedger(try await ledger.snapshot(of: LedgerDatabase.flow))
            let claim = Claim(
                identity: LedgerDatabase.identity(Int64(window)), deltaColumn: nil,
                request: String(decoding: (0..<60_000).map { _ in UInt8.random(in: 33...126) }, as: UTF8.self),
                claim: RunClaim(id: ClaimID("c\(window)")!, owner: "o", time: nil),
                claimedAt: Timestamp(milliseconds: 1), provenance: Provenance())
            try record.claim(claim)
            try record.record(.rejected(reason: "no", response: nil), of: claim, at: Timestamp(milliseconds: 1))
            do throws(LedgerError) {
                if try await ledger.commit(record.commit(nonce: "n\(window)")) == .done { kept += 1 }
            } catch { refused = error }
        }
        switch try #require(refused) {
        case .unusable(let reason): #expect(reason.contains("disk is full"))
        // If there is no room for the write-ahead log, the server shuts down.
        case .unavailable, .unanswered, .busy: break
        default: Issue.record("\(String(describing: refused))")
        }
        try disk.free()
        try? await server.stop("immediate")
        try await server.start()
        let windows = try await ledger.windows
        #expect([kept, kept + 1].contains(windows), "the last one is unknown where the server went down")
        try await ledger.add(1_000)
        #expect(try await ledger.verify().isEmpty)
        try await server.stop()
    }
}

/// A small in-memory file system, which requires root.
private final class SmallDisk: Sendable {
    let folder: URL

    init?(megabytes: Int) async throws {
        guard getuid() == 0 else { return nil }
        folder = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        #if os(Linux)
            guard mount("tmpfs", folder.path, "tmpfs", 0, "size=\(megabytes)m,mode=777") == 0 else { return nil }
        #else
            return nil
        #endif
    }

    deinit {
        #if os(Linux)
            _ = umount2(folder.path, Int32(MNT_DETACH))
        #endif
        try? FileManager.default.removeItem(at: folder)
    }

    private var filler: URL { folder.appending(path: "filler") }

    func fill() throws {
        _ = FileManager.default.createFile(atPath: filler.path, contents: nil)
        let handle = try FileHandle(forWritingTo: filler)
        while (try? handle.write(contentsOf: Data(count: 65_536))) != nil {}
        try? handle.close()
    }

    func free() throws { try FileManager.default.removeItem(at: filler) }
}
