import Foundation
import Testing

/// What commands print for people to write or run, followed to the letter.
@Suite("Printed advice")
struct PrintedAdviceTests {
    private static let start = 1_704_067_200
    private static let hour = 3600
    private static let firstWindow = "{start: 2024-01-01T00:00:00Z, end: 2024-01-01T01:00:00Z}"

    private func declare(
        _ world: World, flow: String = Fixture.id(0), windows: Int, column: String? = "DOB", _ lines: String...
    ) throws {
        let more = lines.map { "      \($0)\n" }.joined()
        try world.user.write(
            Fixture.manifest([Fixture.flow(flow, windows: windows, column: column, more: more)]), to: "flows.yaml")
    }

    /// The first entry in braces that is printed behind a text.
    private func entry(after text: String, in printed: String) throws -> String {
        let rest = try #require(printed.split(separator: text, maxSplits: 1).dropFirst().first, "\(printed)")
        let end = try #require(rest.range(of: "}}") ?? rest.range(of: "}"), "\(printed)")
        let start = try #require(rest.firstIndex(of: "{"), "\(printed)")
        return String(rest[start..<end.upperBound]).replacing("reason: …", with: "reason: looked it up")
    }

    @Test("an acknowledgement that apply suggests for a run of unknown window ends the hold", arguments: [false, true])
    func unknownWindow(isReplaced: Bool) async throws {
        let world = try await World(flows: 2, windows: 2, "--listed-windows", "unknown")
        let service = ServiceByHand(address: world.simulator.address)
        let run = try await service.createRun(
            flow: Fixture.id(0), start: Self.start, end: Self.start + Self.hour, column: "DOB")
        let flow = Fixture.id(isReplaced ? 1 : 0)
        let replaces = isReplaced ? ["replaces: \(Fixture.id(0))"] : []
        try declare(world, flow: flow, windows: 2, replaces.first ?? "priority: 0")
        let held = try await world.apply()
        #expect(held.status == 75, "\(held.errors)")
        let whose = isReplaced ? "flow \(flow)" : "the flow"
        let entry = try entry(after: "under 'acknowledged' of \(whose): ", in: held.errors)
        #expect(entry.contains(run))
        let filled = entry.replacing("{start: …, end: …}", with: Self.firstWindow)
        try declare(world, flow: flow, windows: 2, replaces.first ?? "priority: 0", "acknowledged: [\(filled)]")
        let applied = try await world.apply()
        #expect(applied.status == 0, "\(applied.errors)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 2)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        try await world.end()
    }

    @Test("a flow does not wait for a window that the acknowledgement of an unknown run covers")
    func waitingFlow() async throws {
        let world = try await World(flows: 2, windows: 1, "--listed-windows", "unknown", "--speed", "10000")
        let service = ServiceByHand(address: world.simulator.address)
        _ = try await service.createRun(
            flow: Fixture.id(0), start: Self.start, end: Self.start + Self.hour, column: "DOB")
        func declare(_ more: String) throws {
            let first = Fixture.flow(Fixture.id(0), more: "      name: first\n" + more)
            let second = Fixture.flow(Fixture.id(1), more: "      after: first\n")
            try world.user.write(Fixture.manifest([first, second]), to: "flows.yaml")
        }
        try declare("")
        let held = try await world.apply()
        let entry = try entry(after: "under 'acknowledged' of the flow: ", in: held.errors)
        try declare("      acknowledged: [\(entry.replacing("{start: …, end: …}", with: Self.firstWindow))]\n")
        let applied = try await world.apply()
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 2)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        try await world.end()
    }

    @Test("a rerun that apply suggests after a refused re-trigger takes its place")
    func refusedRetrigger() async throws {
        let world = try await World(
            flows: 1, windows: 1, more: "      retryFailed: 1\n", "--failed", "1", "--speed", "10000", "--fault",
            "re-trigger/404@1")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        let refused = try await world.apply()
        #expect(refused.status == 1, "\(refused.errors)")
        let entry = try entry(after: "under 'rerun' of the flow: ", in: refused.errors)
        try declare(world, windows: 1, "retryFailed: 1", "rerun: [\(entry.replacing("id: …", with: "id: again"))]")
        let plan = try await world.run("plan")
        #expect(plan.output.contains("Plan: 1 to rerun"), "\(plan.output)")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        let counts = try await world.simulator.statistics()
        #expect(counts.postRequests == 2)
        #expect(counts.retriggers == 0, "the service would accept a re-trigger now")
        // The rerun failed as well, and is retried.
        #expect(try await world.apply("--wait").status == 0)
        #expect(try await world.simulator.statistics().retriggers == 1)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    @Test("the range that plan suggests for a rerun of a part of a failed window reruns the whole window once")
    func rerunOfPart() async throws {
        let world = try await World(flows: 1, windows: 1, "--failed", "1", "--speed", "10000")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        try declare(
            world, windows: 1, "rerun: [{start: \(Self.start), end: \(Self.start + 600), id: part, reason: late}]")
        let refused = try await world.run("plan")
        let range = try entry(after: "once more, write ", in: refused.errors)
        try declare(world, windows: 1, "rerun: [\(range)]")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        #expect(try await world.simulator.statistics().postRequests == 2)
        let plan = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(plan.status == 0, "\(plan.output)")
        try await world.end()
    }

    @Test("a refresh that apply suggests after an answer with a known run finds what became of the re-trigger")
    func knownRun() async throws {
        let limits = "{requestsPerSecond: 1000, requestTimeout: PT0.4S, settle: PT1.5S}"
        let world = try await World(
            flows: 1, windows: 1, limits: limits, more: "      retryFailed: 1\n", "--failed", "1", "--speed", "10000",
            "--last-run-details", "missing")
        let gateway = try await Gateway(.knownRun, before: world.simulator.address, world.user)
        try world.user.write(Fixture.target(service: gateway.address, limits: limits), to: "target.yaml")
        #expect(try await world.apply("--wait").errors.contains("1 run requested"))
        let answered = try await world.apply()
        #expect(answered.status == 1)
        #expect(answered.errors.contains("'sluice refresh' reads how it ended"), "\(answered.errors)")
        #expect(try await world.run("refresh").status == 0)
        let status = try await world.run("status")
        #expect(status.status == 0, "\(status.output)")
        let last = try await world.apply()
        #expect(last.status == 0, "\(last.errors)")
        #expect(try await world.simulator.statistics().retriggers == 1)
        try await gateway.stop()
        try await world.end()
    }

    @Test("an acknowledgement that verify suggests ends its complaint", arguments: [1, 2])
    func ingestedTwice(hours: Int) async throws {
        let world = try await World(flows: 1, windows: 2)
        #expect(try await world.apply().status == 0)
        let service = ServiceByHand(address: world.simulator.address)
        let run = try await service.createRun(
            flow: Fixture.id(0), start: Self.start, end: Self.start + hours * Self.hour)
        #expect(try await world.run("refresh").status == 0)

        // A flow that no manifest declares is to be declared, with or without windows.
        try declare(world, flow: Fixture.id(1), windows: 1)
        let undeclared = try await world.run("ledger", "verify")
        #expect(undeclared.status == 74)
        #expect(undeclared.errors.contains("declare the flow, with or without windows"), "\(undeclared.errors)")
        try declare(world, windows: 0)
        try world.user.write(world.user.read("flows.yaml").replacing("windows:", with: ""), to: "flows.yaml")
        let complaint = try await world.run("ledger", "verify")
        #expect(complaint.status == 74)

        let entry = try entry(after: "write under 'acknowledged': ", in: complaint.errors)
        #expect(entry.contains(run))
        try declare(world, windows: 2, "acknowledged: [\(entry)]")
        let verified = try await world.run("ledger", "verify")
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(try await world.run("status").status == 0)
        #expect(try await world.apply().status == 0)

        // The acknowledgement also counts in the flow that replaces this one.
        try declare(world, flow: Fixture.id(1), windows: 2, "replaces: \(Fixture.id(0))", "acknowledged: [\(entry)]")
        let replaced = try await world.run("ledger", "verify")
        #expect(replaced.status == 0, "\(replaced.errors)")
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().runsTaken == 3)
        try await world.end()
    }

    @Test("after the ledger is lost, verification counts a replaced flow's runs as the reruns of its successor")
    func replacedReruns() async throws {
        let world = try await World(flows: 2, windows: 1)
        let rerun = "rerun: [{start: \(Self.start), end: \(Self.start + Self.hour), id: fix, reason: late files}]"
        try declare(world, windows: 1, rerun)
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        try declare(world, flow: Fixture.id(1), windows: 1, "replaces: \(Fixture.id(0))", rerun)
        #expect(try await world.apply().status == 0)
        #expect(try await world.run("refresh").status == 0)
        let verified = try await world.run("ledger", "verify")
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 2)
        try await world.end()
    }

    @Test("'overlap: trim', which apply suggests for a run by hand in another cut, requests only the rest")
    func otherCut() async throws {
        let world = try await World(flows: 1, windows: 2)
        let service = ServiceByHand(address: world.simulator.address)
        let half = Self.hour / 2
        _ = try await service.createRun(
            flow: Fixture.id(0), start: Self.start + half, end: Self.start + 3 * half, column: "DOB")
        let refused = try await world.apply()
        let advice = try #require(
            refused.errors.firstMatch(of: /write '(overlap: \w+)'/)?.output.1, "\(refused.errors)")
        #expect(refused.status != 0)
        try declare(world, windows: 2, String(advice))
        let applied = try await world.apply()
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try await world.run("refresh").status == 0)
        // Three runs that share no time: verification would name what two runs ingested.
        #expect(try await world.simulator.statistics().runsTaken == 3)
        #expect(try await world.run("ledger", "verify").status == 0)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        try await world.end()
    }

    @Test("the kind of source and the delta column that are suggested one after another fit the flow")
    func sourceKind() async throws {
        let world = try await World(flows: 1, windows: 1)
        try declare(world, windows: 1, column: nil)
        let file = try await world.apply()
        #expect(file.errors.contains("write 'source: table'"), "\(file.errors)")
        try world.user.write(
            world.user.read("flows.yaml").replacing("source: file", with: "source: table"), to: "flows.yaml")
        let column = try await world.run("plan")
        #expect(column.errors.contains("add 'deltaColumn: {name: COLUMN}'"), "\(column.errors)")
        try declare(world, windows: 1)
        #expect(try await world.apply().status == 0)
        try await world.end()
    }

    @Test("--max-runs, which plan suggests for a plan over the limit, lets apply request all of it")
    func maxRuns() async throws {
        let world = try await World(flows: 1, windows: 3, limits: World.quickLimits.replacing("5000", with: "2"))
        let plan = try await world.run("plan")
        #expect(plan.errors.contains("pass --max-runs to apply"), "\(plan.errors)")
        #expect(try await world.apply().status != 0)
        #expect(try await world.apply("--max-runs", "3").status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }
}
