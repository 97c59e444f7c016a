import Foundation
import Testing

/// Answers that are lost after the run was created, and errors that leave a doubt.
@Suite("Requests in doubt")
struct DoubtTests {
    @Test(
        "an apply settles its own requests in doubt",
        arguments: [
            "500-after:0.3", "500-before:0.2", "reset-after:0.3", "reset-before:0.3", "cut-answer:0.3", "no-id:0.3",
            "wrong-length:0.3", "slow:1s:0.1", "close-idle:0.3", "huge-error:0.2", "html-error:0.2", "503:0.2",
        ])
    func resolved(fault: String) async throws {
        let world = try await World(flows: 3, windows: 6, "--fault", fault, "--seed", "5")
        var result = try await world.apply()
        // After three consecutive faults without a run, an apply leaves the other requests for later, by design.
        for _ in 0..<6 where result.status == 69 { result = try await world.apply() }
        #expect(result.status == 0, "\(result.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a run on a delayed or paginated listing is not mistaken for absent")
    func laggingListing() async throws {
        let world = try await World(
            flows: 2, windows: 8, "--fault", "reset-after:0.4", "--listing-lag", "PT0.5S", "--page-size", "2",
            "--seed", "3")
        let result = try await world.apply()
        #expect(result.status == 0, "\(result.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a refresh settles the requests of a killed apply")
    func refreshResolves() async throws {
        let world = try await World(flows: 1, windows: 2, "--fault", "slow:10s@1")
        let program = try world.user.start(World.apply)
        try await world.simulator.wait(forRuns: 1)
        program.signal(SIGKILL)
        _ = try await program.end()
        func isOpen() async throws -> Bool {
            // A slow machine may record the request as in doubt before the kill.
            let open = ["--state", "intended", "--state", "inDoubt", "--format", "json"]
            return try await world.run("history", more: open).output.contains("\"state\"")
        }
        #expect(try await isOpen())
        // Before the settle time, a refresh cannot settle the request.
        #expect(try await world.run("refresh").status == 75)
        for _ in 0..<20 where try await world.run("refresh").status != 0 {
            try await Task.sleep(for: .milliseconds(250))
        }
        #expect(try await !isOpen())
        #expect(try await world.apply().status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("an apply waits while throttled, and a rejected request stops its flow with the reason")
    func throttledAndRefused() async throws {
        let world = try await World(
            flows: 1, windows: 3, "--fault", "429-retry-after:1s@1", "--fault", "422-before@3")
        let result = try await world.apply()
        #expect(result.status == 1)
        #expect(result.errors.contains("waiting 1 s") || result.errors.contains("waiting 2 s"))
        #expect(result.errors.contains("422"))
        let plan = try await world.run("plan")
        #expect(plan.output.contains("422"))
        #expect(try await world.apply().status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a rejected token stops the whole apply with exit code 77, and no run is created")
    func unauthorized() async throws {
        let world = try await World(flows: 3, windows: 2, "--fault", "401-before")
        let result = try await world.apply()
        #expect(result.status == 77)
        #expect(try await world.simulator.statistics().runsTaken == 0)
        try await world.end()
    }

    @Test("an unreachable service ends an apply with exit code 69, and the windows remain available")
    func unreachable() async throws {
        let world = try await World(flows: 2, windows: 2)
        try await world.simulator.stop()
        let result = try await world.apply()
        #expect(result.status == 69, "\(result.errors)")
        world.user.remove()
    }
}
