import Foundation
import Testing

/// Failed runs, and their declared retries.
@Suite("Failed runs")
struct RetryTests {
    @Test("a failed run is shown, retried once if the manifest allows it, and then succeeds")
    func retried() async throws {
        let world = try await World(flows: 1, windows: 12, "--failed", "0.4", "--speed", "10000", "--seed", "2")
        #expect(try await world.apply().status == 0)
        #expect(try await world.run("refresh").status == 0)
        let before = try await world.run("status")
        #expect(before.status == 1)
        #expect(before.output.contains("failed."))

        let flow = Fixture.flow(Fixture.id(0), windows: 12, more: "      retryFailed: 1\n")
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        let plan = try await world.run("plan")
        #expect(plan.output.contains("  ~ "))
        #expect(plan.output.contains("retry 1 of 1"))
        #expect(try await world.apply().status == 0)
        let after = try await world.run("status", more: ["--refresh"])
        #expect(after.status == 0, "\(after.output)")
        let counts = try await world.simulator.statistics()
        #expect(counts.postRequests == 12)
        #expect(counts.deltaColumnViolations == 0)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    @Test("a rejected re-trigger is reported, and other windows are still requested")
    func refused() async throws {
        let world = try await World(
            flows: 1, windows: 4, "--failed", "0.5", "--speed", "10000", "--seed", "2", "--fault", "re-trigger/404")
        #expect(try await world.apply().status == 0)
        #expect(try await world.run("refresh").status == 0)
        let flow = Fixture.flow(Fixture.id(0), windows: 6, more: "      retryFailed: 1\n")
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        let apply = try await world.apply()
        #expect(apply.status == 1)
        #expect(apply.errors.contains("write under 'rerun' of the flow: {start: "))
        let counts = try await world.simulator.statistics()
        #expect(counts.postRequests == 6, "the windows after it are requested")
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }

    @Test("a re-trigger answered with the failed run's id is not repeated before the run that it started is listed")
    func knownRun() async throws {
        let limits = "{requestsPerSecond: 1000, requestTimeout: PT0.4S, settle: PT1.5S}"
        let world = try await World(
            flows: 1, windows: 1, limits: limits, more: "      retryFailed: 2\n", "--failed", "1", "--speed", "10000",
            "--listing-lag", "PT1S", "--last-run-details", "missing")
        let gateway = try await Gateway(.knownRun, before: world.simulator.address, world.user)
        try world.user.write(Fixture.target(service: gateway.address, limits: limits), to: "target.yaml")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        let answered = try await world.apply()
        #expect(answered.status == 1)
        #expect(answered.errors.contains("answered with a run that is recorded already"), "\(answered.errors)")
        let next = try await world.apply()
        #expect(next.errors.contains("may have started another"), "\(next.errors)")
        #expect(try await world.simulator.statistics().retriggers == 1, "the run that it started is found")
        try await gateway.stop()
        try await world.end()
    }

    @Test("a partial run is requested as a new run if the manifest allows it, and the ledger is valid")
    func partial() async throws {
        let more = "      retryFailed: {times: 1, states: [partial]}\n"
        let world = try await World(
            flows: 1, windows: 8, more: more, "--partial", "0.4", "--speed", "10000", "--seed", "2")
        #expect(try await world.apply("--wait").status == 0)
        let before = try await world.simulator.statistics()
        let plan = try await world.run("plan")
        #expect(plan.output.contains("is partial"), "\(plan.output)")
        #expect(try await world.apply("--wait").status == 0)
        let after = try await world.simulator.statistics()
        #expect(after.postRequests > before.postRequests)
        #expect(after.postRequests - before.postRequests == after.windowsTakenTwice.count)
        let again = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(again.status == 0, "each is retried once: \(again.output)")
        #expect(try await world.run("ledger", "verify").status == 0)
        #expect(try await world.run("status").status == 0)
        try await world.end()
    }

    @Test("a rejected new run for a partial one stops its flow, like any rejected request")
    func refusedAsNewRun() async throws {
        let more = "      retryFailed: {times: 1, states: [partial]}\n"
        let world = try await World(
            flows: 1, windows: 8, more: more, "--partial", "0.4", "--speed", "10000", "--seed", "2", "--fault",
            "post-runs/400@9")
        #expect(try await world.apply("--wait").status == 0)
        let flow = Fixture.flow(Fixture.id(0), windows: 10, more: more)
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        let apply = try await world.apply()
        #expect(apply.status == 1, "\(apply.errors)")
        #expect(try await world.simulator.statistics().postRequests == 9, "nothing goes out after it")
        try await world.end()
    }

    @Test("flows created and run elsewhere become a manifest with an empty plan")
    func adopted() async throws {
        let world = try await World(flows: 4, windows: 5)
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let manifest = try await world.user.run("flows", "target.yaml", "--format", "yaml")
        #expect(manifest.status == 0, "\(manifest.errors)")
        #expect(manifest.output.contains("{every: PT1H, from: 2024-01-01, until: 2024-01-01T05:00:00Z}    # 5 windows"))
        try world.user.write(manifest.output, to: "flows.yaml")
        #expect(try await world.run("validate").status == 0)
        let plan = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(plan.status == 0, "\(plan.output)")
        #expect(plan.output.contains("Nothing to do: all 20 windows are recorded."), "what it read is in the ledger")
        #expect(try await world.run("ledger", "verify").status == 0)
        #expect(try await world.apply().errors.isEmpty)
        #expect(try await world.simulator.statistics().runsTaken == 20)
        try await world.end()
    }
}
