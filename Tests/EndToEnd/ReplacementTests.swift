import Foundation
import Testing

/// A flow cannot change, so a change requires a new flow, whose history must not be ingested again.
@Suite("Flows that replace others")
struct ReplacementTests {
    private static let old = Fixture.id(0)
    private static let new = Fixture.id(1)

    /// Creates a world with an old flow of three windows, and an undeclared new one.
    private func world(_ options: String...) async throws -> World {
        let world = try await World(flows: 2, windows: 3, options)
        try world.user.write(Fixture.manifest([Fixture.flow(Self.old, windows: 3)]), to: "flows.yaml")
        return world
    }

    private func replace(_ world: World, _ old: String = old) throws {
        let more = "      replaces: \(old)\n"
        try world.user.write(Fixture.manifest([Fixture.flow(Self.new, windows: 4, more: more)]), to: "flows.yaml")
    }

    private func expectOnceEach(_ world: World) async throws {
        let plan = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(plan.output.contains("all 4 windows are recorded"), "\(plan.output)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 4)
        #expect(counts.deltaColumnViolations == 0)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    @Test("a replacing flow continues where the replaced one ended, even with a lost ledger", arguments: [false, true])
    func goesOn(losesLedger: Bool) async throws {
        let world = try await world()
        #expect(try await world.apply().status == 0)
        try replace(world)
        if losesLedger { try world.loseLedger() }
        let result = try await world.apply()
        #expect(result.status == 0, "\(result.errors)")
        if losesLedger { #expect(try await world.run("refresh").status == 0) }
        try await expectOnceEach(world)
    }

    @Test("a replacing flow waits for a request in doubt of the replaced one, and counts its run")
    func doubt() async throws {
        let world = try await world("--fault", "slow:10s@3")
        let first = try world.user.start(World.apply)
        try await world.simulator.wait(forRuns: 3)
        first.signal(SIGKILL)
        _ = try await first.end()
        try replace(world)
        let plan = try await world.run("plan")
        #expect(plan.output.contains("on the flow that it replaces, \(Self.old): claimed at"), "\(plan.output)")
        let result = try await world.apply()
        #expect(result.status == 0, "\(result.errors)")
        try await expectOnceEach(world)
    }

    @Test(
        "the delta column goes with the request that is sent first, even if the planned first one is partly recorded")
    func deltaColumn() async throws {
        let world = try await world()
        let secondHour = """
                - flowId: \(Self.old)
                  source: table
                  deltaColumn: {name: DOB}
                  windows: [{start: 2024-01-01T01:00:00Z, end: 2024-01-01T02:00:00Z}]
            """
        try world.user.write(Fixture.manifest([secondHour]), to: "flows.yaml")
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let batches = """
                - flowId: \(Self.new)
                  replaces: \(Self.old)
                  source: table
                  deltaColumn: {name: DOB}
                  batch: PT2H
                  series: [{every: PT1H, from: 2024-01-01T00:00:00Z, until: 2024-01-01T05:00:00Z}]
            """
        try world.user.write(Fixture.manifest([batches]), to: "flows.yaml")
        let first = try await world.apply()
        #expect(first.status == 0, "\(first.errors)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 4, "the old one, that of two hours, the last hour's, and the first hour's")
        #expect(counts.deltaColumnViolations == 0)
        let plan = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(plan.status == 0, "\(plan.output)")
        try await world.end()
    }

    @Test("a typo in the ID of the replaced flow is an error before the history is ingested again")
    func unknownFlow() async throws {
        let world = try await world()
        #expect(try await world.apply().status == 0)
        try replace(world, Fixture.id(7))
        let result = try await world.apply()
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains("SLU0306"), "\(result.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 3)
        try await world.end()
    }
}
