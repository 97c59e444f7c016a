import Foundation
import Testing

/// An empty ledger does not mean that no window has run yet.
@Suite("First contact")
struct FirstContactTests {
    @Test(
        "after a lost ledger, windows that ran on the service are not requested again",
        arguments: ["parameters", "copyActivity"])
    func lostLedger(listed: String) async throws {
        let world = try await World(
            flows: 3, windows: 5, "--listed-windows", listed, "--speed", "1000", "--page-size", "3")
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let plan = try await world.run("plan")
        #expect(plan.output.contains("not verified"))
        let again = try await world.apply()
        #expect(again.status == 0, "\(again.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a saved plan from an empty ledger requests nothing twice, even after the ledger is lost")
    func savedPlanTwice() async throws {
        let world = try await World(flows: 2, windows: 4)
        #expect(try await world.run("plan", more: ["--out", "plan.json"]).status == 0)
        #expect(try await world.user.run("apply", "plan.json").status == 0)
        #expect(
            try await world.user.run("apply", "plan.json").errors.contains(
                "Nothing to do: all 8 requests were already made."))
        try world.loseLedger()
        #expect(try await world.user.run("apply", "plan.json").status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("runs with unknown windows hold their flow until they are acknowledged")
    func unknownWindows() async throws {
        let world = try await World(flows: 1, windows: 1, "--listed-windows", "unknown")
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let held = try await world.apply()
        #expect(held.status == 75)
        let history = try await world.run("history", more: ["--format", "json"])
        let run = try #require(history.output.firstMatch(of: /"run":\s*"([^"]+)"/)?.output.1)
        let plan = try await world.run("plan")
        #expect(plan.errors.contains("SLU0209"))
        #expect(plan.errors.contains(run))
        let still = try await world.apply()
        #expect(still.status == 75, "a window that is held is not done with")
        #expect(still.errors.contains("Apply incomplete"))
        #expect(try await world.simulator.statistics().runsTaken == 1)

        let more = "      acknowledged: [{run: \(run), reason: made before}]\n"
        try world.user.write(
            Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 1, more: more)]), to: "flows.yaml")
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().runsTaken == 2)
        #expect(try await world.simulator.statistics().deltaColumnViolations == 0)
        try await world.end()
    }

    @Test("the flow's own delta column takes precedence over the manifest's")
    func ownColumn() async throws {
        let world = try await World(flows: 1, windows: 1)
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        try world.user.write(
            Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 2, column: "EMAIL")]), to: "flows.yaml")
        let result = try await world.apply()
        #expect(result.status == 65)
        #expect(result.errors.contains("SLU0202"))
        #expect(result.errors.contains("DOB"))
        #expect(try await world.simulator.statistics().runsTaken == 1)
        try await world.end()
    }

    @Test("a flow that does not exist on the service is held, and reported at the manifest's line")
    func unknownFlow() async throws {
        let world = try await World(flows: 1, windows: 1)
        try world.user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        let result = try await world.apply()
        #expect(result.status == 1)
        #expect(result.errors.contains("SLU0301"))
        #expect(result.errors.contains("flows.yaml:7"))
        try await world.end()
    }

    @Test("after an older copy of the ledger is restored, nothing is requested twice", arguments: [true, false])
    func oldCopy(isOnThisMachine: Bool) async throws {
        let world = try await World(flows: 2, windows: 1, limits: World.patientLimits)
        #expect(try await world.apply().status == 0)
        try FileManager.default.copyItem(at: world.user.path("ledger.sqlite"), to: world.user.path("old.sqlite"))
        let more = (0..<2).map { Fixture.flow(Fixture.id($0), windows: 6) }
        try world.user.write(Fixture.manifest(more), to: "flows.yaml")
        #expect(try await world.apply().status == 0)

        try world.loseLedger()
        try FileManager.default.copyItem(at: world.user.path("old.sqlite"), to: world.user.path("ledger.sqlite"))
        // Another machine has no journal of these requests.
        if !isOnThisMachine { try FileManager.default.removeItem(at: world.user.path(".local")) }
        let again = try await world.apply()
        #expect(again.status == 0, "\(again.errors)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 12)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.requests["GET /runs"] == 6, "once an apply")
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().requests["GET /runs"] == 6)
        try await world.end()
    }

    @Test("windows requested with another ledger meanwhile are not requested again")
    func twoLedgers() async throws {
        let world = try await World(flows: 1, windows: 2)
        #expect(try await world.apply().status == 0)
        let target = try world.user.read("target.yaml")
        let more = Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 6)])
        try world.user.write(more, to: "flows.yaml")
        try world.user.write(target.replacing("ledger.sqlite", with: "other.sqlite"), to: "target.yaml")
        #expect(try await world.apply().status == 0)
        try world.user.write(target, to: "target.yaml")
        let again = try await world.apply()
        #expect(again.status == 0)
        #expect(again.errors.contains("4 requests skipped: already run"))
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 6)
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }

    @Test("a flow that was disabled since the last apply is an error at its line, and no request is sent")
    func disabledMeanwhile() async throws {
        var user = try Program()
        defer { user.remove() }
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        func serve(state: String) async throws -> SimulatorProcess {
            let flow = #"{"id":"\#(Fixture.contacts)","state":"\#(state)","scheduleParams":{"frequency":"once"}}"#
            try user.write("{\"items\":[\(flow)]}", to: "flows.json")
            let simulator = try await SimulatorProcess(user, ["--flows", "flows.json"])
            try user.write(Fixture.target(service: simulator.address), to: "target.yaml")
            return simulator
        }
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        let enabled = try await serve(state: "enabled")
        #expect(try await user.run(World.apply).status == 0)
        try await enabled.stop()

        try user.write(Fixture.manifest([Fixture.flow(windows: 2)]), to: "flows.yaml")
        let disabled = try await serve(state: "disabled")
        let plan = try await user.run("plan", "flows.yaml", "target.yaml", "--refresh", "--format", "github")
        #expect(plan.status == 65)
        #expect(plan.output.contains(/::error file=flows.yaml,line=7,.*title=SLU0303/))
        let result = try await user.run(World.apply)
        #expect(result.status == 1)
        #expect(result.errors.contains("SLU0303"))
        #expect(result.errors.contains("flows.yaml:7"))
        #expect(try await disabled.statistics().postRequests == 0)
        try await disabled.stop()
    }

    @Test("a ledger lost immediately after an apply causes no repeated requests, even with a listing lag")
    func lostBeforeListed() async throws {
        let world = try await World(flows: 2, windows: 4, "--listing-lag", "PT0.9S")
        let start = ContinuousClock.now
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        // The listing is still incomplete, so this refresh must not replace the reconciliation of the apply.
        #expect(try await world.run("refresh").status == 0)
        let again = try await world.apply()
        #expect(again.status == 0)
        world.expectWait(again, since: start)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("one flow that does not exist on the service is held, and the other flows are applied")
    func oneFlowMissing() async throws {
        let world = try await World(flows: 2, windows: 2)
        let unknown = Fixture.flow(Fixture.id(77), windows: 1)
        let known = (0..<2).map { Fixture.flow(Fixture.id($0), windows: 2) }
        try world.user.write(Fixture.manifest(known + [unknown]), to: "flows.yaml")
        let result = try await world.apply()
        #expect(result.status == 1)
        #expect(result.errors.contains("SLU0301"))
        #expect(try await world.simulator.statistics().runsTaken == 4)
        try await world.end()
    }
}
