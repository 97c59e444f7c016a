import Foundation
import Testing

/// The results of runs, with `refresh` and `apply --wait`.
@Suite("Refreshing and waiting")
struct RefreshTests {
    @Test("apply --wait continues until every run has ended, and prints the failed ones")
    func waited() async throws {
        let world = try await World(flows: 2, windows: 8, "--failed", "0.3", "--speed", "10", "--seed", "2")
        let result = try await world.apply("--wait")
        #expect(result.status == 1)
        #expect(result.errors.contains("Waited for 16 runs: "))
        #expect(result.errors.contains("failed: CONNECTOR-2001-500"))
        let again = try await world.apply("--wait", "--format", "json")
        #expect(again.status == 0, "what failed before this wait is not its affair")
        #expect(again.output.contains(#""event":"waitEnded","succeeded":0,"partial":0,"failed":0,"running":0"#))
        try await world.end()
    }

    @Test("a wait that exceeds its timeout exits with 75, and a later wait can continue")
    func timedOut() async throws {
        let world = try await World(flows: 1, windows: 3, "--speed", "0.01")
        let result = try await world.apply("--wait", "--timeout", "PT0.5S")
        #expect(result.status == 75)
        #expect(result.errors.contains("Waited for 3 runs: 3 still running."))
        #expect(try await world.apply("--timeout", "PT1S").status == 64)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("the JSON of a refresh contains the findings of each flow")
    func machines() async throws {
        let world = try await World(flows: 2, windows: 3, "--speed", "10000")
        #expect(try await world.apply().status == 0)
        let refresh = try await world.run("refresh", more: ["--format", "json"])
        #expect(refresh.status == 0)
        #expect(refresh.output.contains(#""end":"read","runs":{"read":3,"new":0,"ended":3,"inDoubt":0}"#))
        try await world.end()
    }

    @Test("a first refresh reads every page, and each shared specification once")
    func pages() async throws {
        let world = try await World(
            flows: 6, windows: 25, limits: World.patientLimits, "--page-size", "10", "--speed", "10000")
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let first = try await world.run("refresh")
        #expect(first.errors.contains("refreshed 6 flows: 150 runs read, 150 new"))
        // The apply has already read the two specifications.
        #expect(try await world.simulator.statistics().requests["GET /flowSpecs/{id}"] == 4)
        let second = try await world.run("refresh", more: ["--full"])
        #expect(second.errors.contains("150 runs read, 0 new, 0 ended"))
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a later refresh reads back only to known runs that are a day old")
    func incremental() async throws {
        var user = try Program()
        defer { user.remove() }
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try user.write(Fixture.manifest([Fixture.flow(windows: 45)]), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        let simulate = [
            "flows.yaml", "target.yaml", "--state", "service.jsonl", "--page-size", "10", "--speed", "10000",
        ]
        func serve() async throws -> SimulatorProcess {
            let simulator = try await SimulatorProcess(user, simulate)
            try user.write(Fixture.target(service: simulator.address), to: "target.yaml")
            return simulator
        }

        let first = try await serve()
        #expect(try await user.run(World.apply).status == 0)
        try await first.stop()
        // Moves the runs three days back, at hourly intervals, and loses the ledger.
        var hour: Int64 = 0
        let state = try user.read("service.jsonl").replacing(/"createdAt":(\d+)/) { match in
            hour += 1
            return "\"createdAt\":\((Int64(match.output.1) ?? 0) - 3 * 86_400_000 + hour * 3_600_000)"
        }
        try user.write(state, to: "service.jsonl")
        for file in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
            try? FileManager.default.removeItem(at: user.path(file))
        }

        let second = try await serve()
        var pages = 0
        for (options, expected) in [([], 5), ([], 1), (["--full"], 5)] {
            #expect(try await user.run(["refresh", "flows.yaml", "target.yaml"] + options).status == 0)
            let asked = try #require(try await second.statistics().requests["GET /runs"])
            #expect(asked - pages == expected)
            pages = asked
        }
        try await second.stop()
    }

    @Test(
        "many flows are read in few calls, or individually if the service does not support several values",
        arguments: ["any", "first", "literal", "ignored", "refused"])
    func severalValues(meaning: String) async throws {
        let world = try await World(
            flows: 12, windows: 3, limits: World.patientLimits, "--several-values", meaning, "--speed", "10000")
        #expect(try await world.apply().status == 0)
        // The first refresh reads each flow's runs individually.
        #expect(try await world.run("refresh").status == 0)
        let before = try await world.simulator.statistics().requests
        let refresh = try await world.run("refresh")
        #expect(refresh.errors.contains("refreshed 12 flows: 36 runs read, 0 new, 0 ended"))
        let after = try await world.simulator.statistics().requests
        func calls(_ endpoint: String) -> Int { after[endpoint, default: 0] - before[endpoint, default: 0] }
        let isUnderstood = ["any", "ignored"].contains(meaning)
        #expect(calls("GET /flows") == 1)
        #expect(calls("GET /runs") == (isUnderstood ? 1 : meaning == "first" ? 12 : 13))
        #expect(calls("GET /flows/{id}") == (isUnderstood ? 0 : meaning == "first" ? 11 : 12))
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("an unreachable service is reported a few times, not once per flow")
    func unreachable() async throws {
        let world = try await World(flows: 8, windows: 1)
        try await world.simulator.stop()
        let result = try await world.run("refresh")
        #expect(result.status == 69)
        #expect(result.errors.contains("5 more flows could not be read"))
        world.user.remove()
    }

    @Test("watching the status without a terminal prints a line per poll, and SIGINT ends with the table")
    func watched() async throws {
        let world = try await World(flows: 1, windows: 2, "--speed", "0.01")
        #expect(try await world.apply().status == 0)
        let watching = try world.user.start(["status", "flows.yaml", "target.yaml", "--watch"])
        try await watching.waitForErrors("2 runs are still running")
        watching.signal(SIGINT)
        let result = try await watching.end()
        #expect(result.status == 0)
        #expect(result.output.contains("2 of 2 due windows recorded, 2 running."))
        try await world.end()
    }

    @Test("watching the status continues while a request is in doubt, and reports it")
    func watchedDoubt() async throws {
        let world = try await World(flows: 1, windows: 2, "--fault", "slow:10s@1")
        let program = try world.user.start(World.apply)
        try await world.simulator.wait(forRuns: 1)
        program.signal(SIGKILL)
        _ = try await program.end()
        let result = try await world.run("status", more: ["--watch"])
        #expect(result.status == 0)
        #expect(result.errors.contains("1 request is still in doubt"))
        #expect(result.output.contains("1 of 2 due windows recorded, 1 to request"))
        try await world.end()
    }
}
