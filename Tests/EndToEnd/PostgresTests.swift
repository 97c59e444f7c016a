import Foundation
import TestSupport
import Testing

/// The program with a shared ledger, while runners, the server and connections fail.
@Suite("A ledger on PostgreSQL", .serialized, .timeLimit(.minutes(10)))
struct PostgresTests {
    private static func number(_ name: String, or standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }

    @Test("concurrent runners share the work and request each window once")
    func runners() async throws {
        let (flows, windows) = (Self.number("SLUICE_FLOWS", or: 10), Self.number("SLUICE_WINDOWS", or: 10))
        let limits =
            "{requestsPerSecond: 1000, parallelFlows: 8, requestTimeout: PT5S, settle: PT15S, maxRunsPerApply: 100000}"
        let latency = "slow:\(Self.number("SLUICE_LATENCY", or: 20))ms"
        var durations: [Duration] = []
        for runners in [1, Self.number("SLUICE_RUNNERS", or: 4)] {
            let server = try await PostgresServer.shared()
            let world = try await World(
                flows: flows, windows: windows, limits: limits, ledger: server.makeDatabaseURL(), "--fault", latency)
            let clock = ContinuousClock()
            let began = clock.now
            let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<runners { group.addTask { try await world.apply("--max-runs", "100000").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            durations.append(clock.now - began)
            #expect(statuses.allSatisfy { [0, 75].contains($0) }, "\(statuses)")
            #expect(statuses.contains(0), "75 is for whoever has nothing left but waiting")
            try await world.finish()
        }
        print("\(flows) flows of \(windows) windows: one runner \(durations[0]), several \(durations[1])")
    }

    @Test("killed runners and a killed server neither repeat nor lose a window")
    func kills() async throws {
        let kills = Self.number("SLUICE_KILLS", or: 8)
        let server = try await PostgresServer(settings: ["fsync=on"])
        let world = try await World(flows: 8, windows: max(30, kills * 4), ledger: server.makeDatabaseURL())
        for kill in 0..<kills {
            let runners = try (0..<4).map { _ in try world.user.start(World.apply) }
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...700)))
            if kill % 2 == 0 {
                runners.randomElement()?.signal(SIGKILL)
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...100)))
            } else {
                try await server.kill()
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
                try await server.start()
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
            for runner in runners { runner.signal(SIGKILL) }
            for runner in runners { _ = try await runner.end() }
            let verified = try await world.run("ledger", "verify")
            #expect(verified.status == 0, "\(verified.errors)")
        }
        try await world.finish()
        try await server.stop()
    }

    @Test("constantly interrupted connections delay an apply, but cause no errors")
    func cuts() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let world = try await World(flows: 4, windows: 25, ledger: server.url(database), "--fault", "slow:5ms")
        let cutting = Task {
            var cuts = 0
            while !Task.isCancelled {
                try await server.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)'")
                cuts += 1
                try? await Task.sleep(for: .milliseconds(60))
            }
            return cuts
        }
        let applied = try await world.apply()
        cutting.cancel()
        #expect(try await cutting.value > 3)
        #expect(applied.status == 0, "\(applied.errors)")
        try await world.finish()
    }

    @Test("an unreachable server is reported without its password")
    func gone() async throws {
        let server = try await PostgresServer()
        var world = try await World(flows: 1, windows: 2, ledger: server.makeDatabaseURL())
        world.user.environment["PGPASSWORD"] = "hunter2"
        #expect(try await world.apply("--log-level", "debug").status == 0)
        try await server.stop()
        let result = try await world.apply("--log-level", "debug")
        #expect(result.status == 75)
        #expect(result.errors.contains("the ledger does not answer") && !result.errors.contains("hunter2"))
        try await world.end()
    }

    @Test("a ledger is copied to a server and back with identical exports")
    func copies() async throws {
        let world = try await World(flows: 3, windows: 8)
        #expect(try await world.apply().status == 0)
        #expect(try await world.run("plan", more: ["--out", "plan.json"]).status == 0)
        #expect(try await world.run("ledger", "export", more: ["--out", "file.jsonl"]).status == 0)
        let url = try await PostgresServer.shared().makeDatabaseURL()
        let copied = try await world.run("ledger", "copy", more: ["--to", url])
        #expect(copied.status == 0 && copied.errors.contains("copied 3 flows with 24 runs"), "\(copied.errors)")
        let target = try world.user.read("target.yaml")
        try world.user.write(target.replacing("sqlite:ledger.sqlite", with: url), to: "target.yaml")
        #expect(try await world.run("ledger", "export", more: ["--out", "server.jsonl"]).status == 0)
        #expect(try world.user.read("server.jsonl") == world.user.read("file.jsonl"))
        #expect(try await world.apply().status == 0)
        try await world.expectOnceEach()
        #expect(try await world.run("ledger", "copy", more: ["--to", "sqlite:back.sqlite"]).status == 0)
        #expect(try await world.run("ledger", "copy", more: ["--to", url]).status == 64)
        let other = try await world.run("ledger", "copy", more: ["--to", "postgres://x:hunter2@h/d"])
        #expect(other.status == 64 && !other.errors.contains("hunter2"))
        try await world.end()
    }

    @Test("a wrong password ends after two attempts, and so does a rejection by pg_hba.conf")
    func wrongPassword() async throws {
        let server = try await PostgresServer()
        let database = try await server.makeDatabase()
        try await server.run(
            "CREATE ROLE locked LOGIN PASSWORD 'right'; GRANT CREATE ON DATABASE \(database) TO locked")
        try await server.authenticate(
            "host all locked 127.0.0.1/32 scram-sha-256", "host all outsider 127.0.0.1/32 reject",
            "host all all 127.0.0.1/32 trust")
        var world = try await World(flows: 1, windows: 2, ledger: server.url(database, user: "locked"))
        world.user.environment["PGPASSWORD"] = "wrong"
        let result = try await world.apply()
        #expect(result.status == 74, "\(result.errors)")
        #expect(result.errors.contains("PGPASSWORD") && !result.errors.contains("wrong"), "\(result.errors)")
        #expect(server.log.components(separatedBy: "password authentication failed").count - 1 == 2)
        let target = try world.user.read("target.yaml")
        try world.user.write(target.replacing("locked@", with: "outsider@"), to: "target.yaml")
        let rejected = try await world.apply()
        #expect(rejected.status == 74 && rejected.errors.contains("pg_hba.conf on the server"), "\(rejected.errors)")
        try world.user.write(target, to: "target.yaml")
        world.user.environment["PGPASSWORD"] = "right"
        try await world.finish()
        try await server.stop()
    }

    @Test("a ledger of which a role may see only some rows is an error in every command, not an empty ledger")
    func hiddenRows() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let world = try await World(flows: 1, windows: 3, ledger: server.url(database))
        #expect(try await world.apply().status == 0)
        let reader = "reader_\(database)"
        try await server.run(
            "CREATE ROLE \(reader) LOGIN; GRANT USAGE ON SCHEMA sluice TO \(reader)",
            "GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO \(reader)",
            "ALTER TABLE sluice.run ENABLE ROW LEVEL SECURITY", in: database)
        let target = try world.user.read("target.yaml")
        try world.user.write(target.replacing("sluice@", with: "\(reader)@"), to: "target.yaml")
        for command in [["plan"], ["status"], ["history"], ["ledger", "verify"], ["ledger", "export"]] {
            let result = try await world.user.run(command + ["flows.yaml", "target.yaml"])
            #expect(result.status == 74, "\(command): \(result.output)")
            #expect(result.errors.contains("ALTER ROLE \(reader) BYPASSRLS"), "\(command): \(result.errors)")
        }
        try await server.run("ALTER ROLE \(reader) BYPASSRLS", in: database)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        try await world.end()
    }

    @Test("a role that reads only by default can apply")
    func readOnlyRole() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let role = "careful_\(database)"
        try await server.run(
            "CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \(database) TO \(role)",
            "ALTER ROLE \(role) SET default_transaction_read_only = on; ALTER ROLE \(role) SET array_nulls = off")
        let world = try await World(flows: 2, windows: 3, ledger: server.url(database, user: role))
        try await world.finish()
    }

    @Test("the SQL of the tables is printed for whoever makes them by hand")
    func printed() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        let user = try Program()
        try await server.run(user.run("ledger", "sql").output, in: database)
        #expect(try await server.run("SELECT version FROM sluice.ledger", in: database) == "3")
        user.remove()
    }

    #if os(Linux)
        @Test("the program is not linked with libpq, and so runs without libpq installed")
        func notLinked() async throws {
            let user = try Program()
            let linked = try await RunningProgram(
                URL(filePath: "/usr/bin/ldd"), [Program.binary.path], in: user.folder, environment: [:], input: nil
            ).end()
            #expect(linked.output.contains("libc.so") && !linked.output.contains("libpq"))
            user.remove()
        }
    #endif
}
