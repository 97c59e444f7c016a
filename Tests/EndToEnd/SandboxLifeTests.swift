import Foundation
import TestSupport
import Testing

/// A sandbox of twelve flows, from its adoption to its third day, over real HTTP.
///
/// The test does not depend on the current time: the simulator sets the service's clock.
@Suite("The life of a sandbox")
struct SandboxLifeTests {
    @Test("flows are adopted, extended, replaced, paused, backfilled and rerun with each window once, golden")
    func life() async throws {
        let sandbox = try await Sandbox()
        try await sandbox.adopt()

        // The team's manifest replaces the adopted one.
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Sandbox")
        let manifest = try String(contentsOf: folder.appending(path: "flows.yaml"), encoding: .utf8)
        try sandbox.user.write(manifest, to: "flows.yaml")

        try await sandbox.expectGolden("plan", ["plan"], "day-1.plan.txt")
        try await sandbox.expectGolden("plan", ["plan", "--format", "markdown"], "day-1.plan.md")
        try await sandbox.expectGolden("plan", ["plan", "--format", "github"], "day-1.plan.github.txt")
        let plan: SandboxPlan = try await sandbox.document("plan")
        #expect(plan.summary["requests"] == 28 && plan.summary["errors"] == 0)
        #expect(
            plan.counts == [
                "orders": ["create 4"], "order-lines": ["waiting 4"], "contacts": ["create 4"], "visits": ["paused 6"],
                "history": ["create 10", "dayLimit 18"], "exports": ["rerun 2"], "surveys": ["retry 1"],
                "page-views": ["create 5"], "tickets": ["create 2"],
            ])
        try await sandbox.expectGolden("status", ["status"], "day-1.status.txt")
        try await sandbox.apply()
        let expected = [
            "orders": 4, "order-lines": 4, "contacts": 4, "history": 10, "exports": 2, "page-views": 5, "tickets": 2,
        ]
        try await sandbox.expectTaken(expected, retriggers: 1)
        try await sandbox.apply()
        try await sandbox.expectTaken(expected, retriggers: 1)
        try await sandbox.expectGolden("status", ["status"], "day-1.after.status.txt")

        let second = try await sandbox.nextDay()
        try await second.expectGolden("plan", ["plan"], "day-2.plan.txt")
        try await second.apply()
        let third = try await second.nextDay()
        try await third.expectGolden("plan", ["plan"], "day-3.plan.txt")
        try await third.apply()
        let taken = [
            "orders": 6, "order-lines": 6, "contacts": 6, "visits": 8, "history": 28, "exports": 2, "page-views": 13,
            "tickets": 2,
        ]
        try await third.expectTaken(taken, retriggers: 1)

        let end = try await third.run("plan", "--detailed-exitcode")
        #expect(end.status == 0, "\(end.output)")
        #expect(end.output.contains("Nothing to do: all"))
        #expect(try await third.run("ledger", "verify").status == 0)
        try await third.expectGolden("status", ["status"], "end.status.txt")
        try await third.expectGolden("status", ["status", "--format", "markdown"], "end.status.md")
        try await third.expectGolden("status", ["status", "--format", "json"], "end.status.json")
        let metrics = try await third.run("status", "--format", "openmetrics").output
        let succeeded = samples(of: "sluice_flow_windows", in: metrics, state: "succeeded")
        #expect(succeeded.count == 11 && succeeded["page-views"] == 13 && succeeded["archive"] == 2)
        #expect(samples(of: "sluice_flow_behind_windows", in: metrics).values.allSatisfy { $0 == 0 })
        #expect(metrics.hasSuffix("\n# EOF\n"))

        try await third.expectGolden("history", ["history"], "end.history.txt")
        let history: SandboxHistory = try await third.document("history")
        // The retry of a run kept its row, and has a run of its own.
        #expect(history.requestedByFlow == taken.merging(["surveys": 1]) { $1 })
        #expect(history.runs.allSatisfy { $0.state == "succeeded" && $0.run != nil }, "\(history.runs)")
        let requested = history.runs.filter { $0.origin == "request" }
        #expect(requested.allSatisfy { $0.request != nil && $0.declaredBy?.file == "flows.yaml" })

        #expect(try await third.run("report", "--out", "page.html").status == 0)
        let page = try third.user.read("page.html")
        let flows = Set(page.matches(of: /<div class="lane[^"]*" data-flow="([^"]*)"/).map { String($0.output.1) })
        #expect(flows == Set(Sandbox.names.filter { $0 != "contacts-v1" }.map(Sandbox.id)))
        #expect(page.contains("11 flows, 104 windows, as of <time datetime=\"2026-03-12T06:00:00Z\">"))
        #expect(page.contains(" succeeded <b class=\"count\">104</b>"))
        #expect(page.contains(" gap: not declared <b class=\"count\">1</b>"))
        #expect(!page.contains(" src=") && !page.contains("<link"), "the page needs no other file")
        try await third.end()
    }
}

/// The user, and the service on one day.
private struct Sandbox {
    static let names = [
        "orders", "order-lines", "contacts-v1", "contacts", "visits", "history", "exports", "surveys", "page-views",
        "invoices", "tickets", "archive",
    ]
    private static let tables = [
        "contacts-v1": "UPDATED_AT", "contacts": nil, "invoices": "INVOICE_ID", "tickets": nil,
    ]

    let user: Program
    private let simulator: SimulatorProcess
    /// The number of the day: 1, 2 or 3.
    private let day: Int

    init() async throws {
        var user = try Program()
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try user.write(Self.flows, to: "service-flows.json")
        try user.write(Self.runs, to: "service-runs.json")
        let simulator = try await SimulatorProcess(user, Self.options(day: 1) + ["--runs", "service-runs.json"])
        let limits = "{runsPerDay: 90, parallelFlows: 1, requestsPerSecond: 1000, requestTimeout: PT2S, settle: PT6S}"
        try user.write(Fixture.target(service: simulator.address, limits: limits), to: "target.yaml")
        self.init(user: user, simulator: simulator, day: 1)
    }

    private init(user: Program, simulator: SimulatorProcess, day: Int) {
        self.user = user
        self.simulator = simulator
        self.day = day
    }

    private static func options(day: Int) -> [String] {
        [
            "--flows", "service-flows.json", "--state", "service.jsonl", "--speed", "10000",
            "--date-skew=-\((3 - day) * 24)h",
        ]
    }

    /// Restarts the service a day later, at the same address.
    func nextDay() async throws -> Sandbox {
        try await simulator.stop()
        let port = try #require(simulator.address.split(separator: ":").last?.split(separator: "/").first)
        let next = try await SimulatorProcess(user, Self.options(day: day + 1) + ["--port", String(port)])
        return Sandbox(user: user, simulator: next, day: day + 1)
    }

    func end() async throws {
        try await simulator.stop()
        user.remove()
    }

    // MARK: The content of the sandbox

    static func id(_ name: String) -> String { Fixture.id((names.firstIndex(of: name) ?? 0) + 1) }

    private static var flows: String {
        let items = names.map { name in
            let source = tables.keys.contains(name) ? "table" : "file"
            let copy = (tables[name] ?? nil).map {
                #", "transformations": [{"name": "Copy", "params": {"deltaColumn": {"name": "\#($0)"}}}]"#
            }
            return #"{"id": "\#(id(name))", "name": "\#(name)", "source": "\#(source)"\#(copy ?? "")}"#
        }
        return "[\(items.joined(separator: ",\n"))]"
    }

    /// The runs made by hand, one hour after the end of each window.
    private static var runs: String {
        let day = 86_400
        let march = 1_772_323_200
        func days(_ name: String, _ count: Int) -> [(String, Int, Int)] {
            (0..<count).map { (name, march + $0 * day, march + ($0 + 1) * day) }
        }
        let december = 1_764_547_200
        let months = [(0, 31), (31, 62), (62, 90)].map { ("invoices", december + $0 * day, december + $1 * day) }
        let archive = [
            ("archive", 1_735_689_600, 1_735_689_600 + 10 * day + 18_000), ("archive", 1_748_736_000, 1_748_737_800),
        ]
        let all =
            days("orders", 5) + days("order-lines", 5) + days("contacts-v1", 5) + days("visits", 3) + days("exports", 7)
            + days("surveys", 5) + months + archive
        let items = all.map { name, start, end in
            let outcome = name == "surveys" && start == march + 3 * day ? "empty" : "success"
            return """
                {"flowId": "\(id(name))", "createdAt": \((end + 3600) * 1000), "outcome": "\(outcome)",
                 "params": {"windowStartTime": "\(start)", "windowEndTime": "\(end)"}}
                """
        }
        return "[\(items.joined(separator: ",\n"))]"
    }

    // MARK: Actions of users

    func run(_ command: String...) async throws -> Program.Result { try await run(command) }

    private func run(_ command: [String]) async throws -> Program.Result {
        let takesTime = ["plan", "apply", "status", "report"].contains(command.first)
        let asOf = takesTime ? ["--as-of", "2026-03-\(9 + day)T06:00:00Z"] : []
        return try await user.run(command + ["flows.yaml", "target.yaml"] + asOf)
    }

    /// Turns the service's flows into a manifest with an empty plan.
    func adopt() async throws {
        let manifest = try await user.run("flows", "target.yaml", "--format", "yaml")
        #expect(manifest.status == 0, "\(manifest.errors)")
        try expectGolden(manifest.output, "adopted.yaml")
        try user.write(manifest.output, to: "flows.yaml")
        let plan = try await run("plan", "--detailed-exitcode")
        #expect(plan.status == 0, "\(plan.output)")
        #expect(plan.output.contains("Nothing to do: all 35 windows are recorded."), "\(plan.output)")
        #expect(try await run("apply", "--yes").status == 0)
        try await expectTaken([:], retriggers: 0)
    }

    func apply() async throws {
        let result = try await run("apply", "--yes", "--wait")
        #expect(result.status == 0, "\(result.errors)")
    }

    // MARK: Expectations

    /// Checks the number of runs that Sluice has requested, and that it requested no window twice. Repeated windows
    /// first ran by hand.
    func expectTaken(_ expected: [String: Int], retriggers: Int) async throws {
        let counts = try await simulator.statistics()
        let taken = Dictionary(uniqueKeysWithValues: expected.map { (Self.id($0.key), $0.value) })
        #expect(counts.runsByFlow == taken)
        #expect(counts.retriggers == retriggers)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.deltaColumnViolations == 0)
    }

    /// Reads the JSON output of a command.
    func document<Document: Decodable>(_ command: String) async throws -> Document {
        let result = try await run([command, "--format", "json"])
        #expect(result.status == 0, "\(result.errors)")
        return try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    }

    func expectGolden(_ name: String, _ command: [String], _ golden: String, status: Int32 = 0) async throws {
        let result = try await run(command)
        #expect(result.status == status, "\(name): \(result.errors)")
        try expectGolden(result.output, golden)
    }

    /// Compares a text with a golden file, without the parts that differ in each run: port, digests, answers and
    /// current times.
    func expectGolden(_ text: String, _ golden: String) throws {
        let steady = text.replacing(simulator.address, with: "http://127.0.0.1:8080")
            .replacing(/[0-9a-f]{64}/, with: "DIGEST")
            .replacing(/"response":"(\\.|[^"\\])*"/, with: #""response":"…""#)
            .replacing(/Last refreshed [^.]*\./, with: "Last refreshed TIME.")
            .replacing(/"(recordedAt|updatedAt|refreshedAt)":\s?\d{10,13}/, with: { "\"\($0.output.1)\":0" })
            .replacing(/_timestamp_seconds(\{[^}]*\}) \d+/, with: { "_timestamp_seconds\($0.output.1) 0" })
            .replacing(
                /20[0-9-]{8}T[0-9:]{8}Z/, with: { $0.output < "2026-04" ? String($0.output) : "YYYY-MM-DDTHH:MM:SSZ" })
        #expect(try GoldenFile("Golden/sandbox.\(golden)").text(updatingTo: steady) == steady)
    }
}
