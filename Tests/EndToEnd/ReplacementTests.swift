import Foundation
import Testing

/// A flow is frozen: what changes gets a new one. Its history must not be ingested a second time.
@Suite("A flow that replaces another")
struct ReplacementTests {
    private static let old = Fixture.id(0)
    private static let new = Fixture.id(1)

    /// The old flow with three windows, and the new one, undeclared yet.
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

    @Test("goes on where that one stopped, also when the ledger was lost in between", arguments: [false, true])
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

    @Test("waits for a request of that one whose answer nobody knows, and counts it")
    func doubt() async throws {
        let world = try await world("--fault", "slow:10s@3")
        let first = try world.user.start(World.apply)
        while try await world.simulator.statistics().runsTaken < 3 { try await Task.sleep(for: .milliseconds(10)) }
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
        "sends the delta column with whatever goes out first, where what was planned as the first is recorded in part")
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

    @Test("a slip of the pen in its id is found before the whole history is ingested again")
    func unknownFlow() async throws {
        let world = try await world()
        #expect(try await world.apply().status == 0)
        try replace(world, Fixture.id(7))
        let result = try await world.apply()
        #expect(result.status == 65, "\(result.errors)")
        #expect(result.errors.contains("SLU0306"), "\(result.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 3)
        try await world.end()
    }
}
