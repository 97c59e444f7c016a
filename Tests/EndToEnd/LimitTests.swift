import Foundation
import Testing

/// Limits of an apply, and its output for machines.
@Suite("Limits and events")
struct LimitTests {
    @Test("a plan with more runs than allowed is rejected with a suggestion, and no request is sent")
    func tooManyRuns() async throws {
        let world = try await World(flows: 2, windows: 5)
        let result = try await world.apply("--max-runs", "9")
        #expect(result.status == 65)
        #expect(result.errors.contains("10 requests"))
        #expect(result.errors.contains("--max-runs"))
        #expect(try await world.simulator.statistics().postRequests == 0)
        #expect(try await world.apply("--max-runs", "10").status == 0)
        try await world.expectOnceEach()
        try await world.end()
    }

    private static func limits(_ limit: String) -> String {
        "{requestsPerSecond: 1000, requestTimeout: PT0.4S, settle: PT1.2S, \(limit)}"
    }

    @Test("windows beyond the daily limit wait for the next day without an error, also those of a saved plan")
    func runsPerDay() async throws {
        let world = try await World(flows: 2, windows: 4, limits: Self.limits("runsPerDay: 5"))
        let saved = try await world.run("plan", more: ["--out", "plan.json"])
        #expect(saved.output.contains("Plan: 5 to request; 3 over a daily limit."), "\(saved.output)")
        let first = try await world.apply()
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains("5 runs requested"))
        let again = try await world.apply()
        #expect(again.status == 0)
        #expect(again.output.contains("Nothing to request: 3 over a daily limit, 5 recorded."), "\(again.output)")
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 2)

        let tomorrow = Date(timeIntervalSinceNow: 86_400).ISO8601Format()
        let later = try await world.run("plan", more: ["--as-of", tomorrow, "--out", "plan.json"])
        #expect(later.output.contains("Plan: 3 to request; 5 recorded."), "\(later.output)")
        let early = try await world.user.run("apply", "plan.json")
        #expect(early.errors.contains("0 runs requested, 3 requests remain"), "\(early.errors)")
        #expect(early.status == 0)
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 5)
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }

    @Test("apply --wait continues as runs end, within the limit on running runs")
    func running() async throws {
        let world = try await World(
            flows: 2, windows: 3, limits: Self.limits("running: 2"), "--speed", "20")
        let first = try await world.apply()
        #expect(first.status == 0)
        #expect(first.output.contains("Plan: 2 to request; 4 over the limit of running runs."), "\(first.output)")
        #expect(try await world.simulator.statistics().runsTaken == 2)
        let rest = try await world.apply("--wait")
        #expect(rest.status == 0, "\(rest.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("an apply of one flow waits for runs of the others, whose ends make room")
    func runningElsewhere() async throws {
        let world = try await World(
            flows: 2, windows: 2, limits: Self.limits("running: 2"), "--speed", "20")
        #expect(try await world.apply("--flow", Fixture.id(0)).status == 0)
        let other = try await world.apply("--flow", Fixture.id(1), "--wait")
        #expect(other.status == 0, "\(other.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("without a terminal, apply requires --yes")
    func nobodyToAsk() async throws {
        let world = try await World(flows: 1, windows: 1)
        let result = try await world.user.run("apply", "flows.yaml", "target.yaml", input: "yes\n")
        #expect(result.status == 64)
        #expect(try await world.simulator.statistics().postRequests == 0)
        try await world.end()
    }

    @Test("an apply costs one POST per window and one reconciliation per flow, plus the first contact")
    func cost() async throws {
        let world = try await World(flows: 3, windows: 7, limits: World.patientLimits)
        #expect(try await world.apply().status == 0)
        let counts = try await world.simulator.statistics()
        #expect(counts.postRequests == 21)
        #expect(counts.requests["GET /runs"] == 3)
        #expect(counts.requests["GET /flows/{id}"] == 3)
        #expect(counts.requests["GET /flowSpecs/{id}"] == 2, "one for tables, one for files")
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().postRequests == 21)
        #expect(try await world.simulator.statistics().requests["GET /flows/{id}"] == 3, "nothing to do costs nothing")

        let more = (0..<3).map { Fixture.flow(Fixture.id($0), windows: 8, column: $0 == 2 ? nil : "DOB") }
        try world.user.write(Fixture.manifest(more), to: "flows.yaml")
        #expect(try await world.apply().status == 0)
        let later = try await world.simulator.statistics()
        #expect(later.postRequests == 24)
        #expect(later.requests["GET /runs"] == 6)
        #expect(later.requests["GET /flows/{id}"] == 6)
        try await world.end()
    }

    @Test("the rate limit applies across all flows")
    func rate() async throws {
        let limits = "{requestsPerSecond: 20, parallelFlows: 8}"
        let world = try await World(flows: 4, windows: 8, limits: limits)
        #expect(try await world.apply().status == 0)
        // A delayed request may fall into the next second. Without a limit, all 42 arrive at once.
        #expect(try await world.simulator.statistics().maxRequestsInASecond < 26)
        try await world.end()
    }

    @Test("events are JSON Lines, from 'started' to 'finished'")
    func events() async throws {
        let world = try await World(flows: 2, windows: 2)
        let result = try await world.apply("--format", "json")
        let events = try result.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        let names = events.compactMap { $0["event"] as? String }
        #expect(names.first == "started")
        #expect(names.last == "finished")
        #expect(names.count { $0 == "accepted" } == 4)
        #expect(events.last?["complete"] as? Bool == true)
        try await world.end()
    }

    @Test(
        "a failed write to standard output is exit code 74, but a closed pipe is not an error",
        arguments: [("> /dev/full", 74), ("| head -1", 0)])
    func output(redirection: String, status: Int32) async throws {
        let user = try Program()
        defer { user.remove() }
        let script = "set -o pipefail; '\(Program.binary.path)' schema plan \(redirection)"
        let shell = try RunningProgram(
            URL(filePath: "/bin/bash"), ["-c", script], in: user.folder, environment: [:], input: nil)
        let result = try await shell.end()
        #expect(result.status == status, "\(result.errors)")
        #expect(result.errors.contains("cannot write to standard output") == (status == 74))
    }

    @Test("without credentials, a real service ends with exit code 78 and the names of the variables")
    func noCredentials() async throws {
        let user = try Program()
        defer { user.remove() }
        try user.write(
            Fixture.target(service: "https://platform.adobe.io/data/foundation/flowservice"), to: "target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "flows.yaml")
        let result = try await user.run(World.apply)
        #expect(result.status == 78)
        #expect(result.errors.contains("SLUICE_ACCESS_TOKEN"))
        #expect(result.errors.contains("SLUICE_CLIENT_SECRET"))
    }
}
