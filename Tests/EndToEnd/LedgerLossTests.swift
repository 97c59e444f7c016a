import Foundation
import Testing

/// Ledgers that are lost, outdated, moved, or used in parallel with another one.
@Suite("Lost and outdated ledgers", .timeLimit(.minutes(2)))
struct LedgerLossTests {
    /// A change of the ledger between two applies.
    enum Loss: CaseIterable {
        case lost, olderCopy, exportPutBack, respelledHost, respelledPath, renamed
    }

    /// One rerun for each of the first two windows.
    private static let reruns = """
              rerun:
                - {start: 1704067200, end: 1704070800, id: fix-1, reason: late files}
                - {start: 1704070800, end: 1704074400, id: fix-2, reason: late files}

        """

    @Test("a declared rerun is requested once in total, even with a lost or outdated ledger", arguments: Loss.allCases)
    func reruns(loss: Loss) async throws {
        let world = try await World(flows: 1, windows: 3)
        #expect(try await world.apply().status == 0)
        try FileManager.default.copyItem(at: world.user.path("ledger.sqlite"), to: world.user.path("old.sqlite"))
        #expect(try await world.run("ledger", "export", more: ["--out", "old.jsonl"]).status == 0)
        let flow = Fixture.flow(Fixture.id(0), windows: 3, more: Self.reruns)
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().runsTaken == 5)

        func respell(_ old: String, as new: String) throws {
            try world.user.write(try world.user.read("target.yaml").replacing(old, with: new), to: "target.yaml")
        }
        switch loss {
        case .lost: try world.loseLedger()
        case .olderCopy:
            try world.loseLedger()
            try FileManager.default.copyItem(at: world.user.path("old.sqlite"), to: world.user.path("ledger.sqlite"))
        case .exportPutBack:
            try world.loseLedger()
            #expect(try await world.run("ledger", "import", more: ["--from", "old.jsonl"]).status == 0)
        case .respelledHost: try respell("127.0.0.1", as: "localhost")
        case .respelledPath: try respell(world.simulator.address, as: world.simulator.address + "//")
        case .renamed: try respell("sqlite:ledger.sqlite", as: "sqlite:renamed.sqlite")
        }
        let again = try await world.apply()
        #expect(again.status == 0, "\(again.errors)")
        try await expectReruns(world)
        try await world.end()
    }

    private func expectReruns(_ world: World) async throws {
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 5)
        #expect(counts.windowsTakenTwice.map(\.times) == [2, 2])
        #expect(counts.deltaColumnViolations == 0)
        let plan = try await world.run("plan", more: ["--detailed-exitcode"])
        #expect(plan.status == 0, "\(plan.output)")
        let verified = try await world.run("ledger", "verify")
        #expect(verified.status == 0, "\(verified.errors)")
    }

    @Test("a saved plan that is applied in two folders makes each request once", arguments: [true, false])
    func planInTwoFolders(isOneMachine: Bool) async throws {
        let world = try await World(flows: 1, windows: 3, "--listing-lag", "PT0.3S")
        let flow = Fixture.flow(Fixture.id(0), windows: 3, more: Self.reruns)
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        #expect(try await world.run("plan", more: ["--out", "plan.json"]).status == 0)
        #expect(try await world.user.run("apply", "plan.json").status == 0)
        let other = try clone(world, isOneMachine: isOneMachine)
        try other.write(world.user.read("plan.json"), to: "plan.json")
        let again = try await other.run("apply", "plan.json")
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.errors.contains("5 requests skipped: already run"))
        try await expectReruns(world)
        other.remove()
        try await world.end()
    }

    @Test("a fresh clone in another folder waits for runs that may not be listed yet", arguments: [true, false])
    func freshClone(isOneMachine: Bool) async throws {
        let world = try await World(flows: 2, windows: 4, "--listing-lag", "PT0.4S", "--page-size", "3")
        let start = ContinuousClock.now
        #expect(try await world.apply().status == 0)
        let other = try clone(world, isOneMachine: isOneMachine)
        let again = try await other.run(World.apply)
        #expect(again.status == 0, "\(again.errors)")
        world.expectWait(again, since: start)
        try await world.expectOnceEach()
        other.remove()
        try await world.end()
    }

    @Test("clones on one machine that apply concurrently request each window once", arguments: [2, 3])
    func clonesAtOnce(count: Int) async throws {
        let world = try await World(flows: 2, windows: 6, "--listing-lag", "PT0.3S")
        let clones = try (1..<count).map { _ in try clone(world, isOneMachine: true) }
        let results = try await withThrowingTaskGroup(of: Program.Result.self) { group in
            for user in [world.user] + clones { group.addTask { try await user.run(World.apply) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for result in results { #expect(result.status == 0, "\(result.errors)") }
        try await world.expectOnceEach()
        clones.forEach { $0.remove() }
        try await world.end()
    }

    /// Copies the manifests to another folder, without the ledger.
    private func clone(_ world: World, isOneMachine: Bool) throws -> Program {
        var other = try Program()
        other.environment = world.user.environment
        if isOneMachine { other.environment["HOME"] = world.user.folder.path }
        for file in ["flows.yaml", "target.yaml"] { try other.write(world.user.read(file), to: file) }
        return other
    }

    // MARK: A second ledger

    @Test(
        "windows requested with one ledger are not requested with a second one, with any details of the last run",
        arguments: ["missing", "ended", "late"])
    func secondLedger(lastRun: String) async throws {
        let world = try await World(flows: 3, windows: 3, "--last-run-details", lastRun, "--page-size", "2")
        #expect(try await world.apply().status == 0)
        let target = try world.user.read("target.yaml")
        try world.user.write(target.replacing("ledger.sqlite", with: "other.sqlite"), to: "target.yaml")
        #expect(try await world.apply().status == 0)
        let more = (0..<3).map { Fixture.flow(Fixture.id($0), windows: 5, column: $0 == 2 ? nil : "DOB") }
        try world.user.write(Fixture.manifest(more), to: "flows.yaml")
        #expect(try await world.apply().status == 0)
        try world.user.write(target, to: "target.yaml")
        let first = try await world.apply()
        #expect(first.errors.contains("2 requests skipped: already run"), "\(first.errors)")
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 15)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    @Test(
        "a re-trigger by hand uses up an attempt in every ledger",
        arguments: [("0", 2, 1), ("1", 1, 1)])
    func retriggeredByHand(failsAgain: String, retryFailed: Int, retriggers: Int) async throws {
        let world = try await World(
            flows: 1, windows: 1, "--failed", "1", "--retriggered-failed", failsAgain, "--speed", "100000",
            "--last-run-details", "missing")
        #expect(try await world.apply().status == 0)
        let service = ServiceByHand(address: world.simulator.address)
        let run = try await run(of: world)
        #expect(try await service.retrigger(run) / 100 == 2)
        let flow = Fixture.flow(Fixture.id(0), windows: 1, more: "      retryFailed: \(retryFailed)\n")
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        let target = try world.user.read("target.yaml")
        for ledger in ["ledger", "second"] {
            try world.user.write(target.replacing("ledger.sqlite", with: "\(ledger).sqlite"), to: "target.yaml")
            for _ in 0..<2 {
                #expect(try await world.run("refresh").status == 0)
                _ = try await world.apply()
            }
        }
        let counts = try await world.simulator.statistics()
        #expect(counts.postRequests == 1)
        #expect(counts.requests["POST /runs/{id}/action"] == retriggers)
        try await world.end()
    }

    /// Returns the last run in the history.
    private func run(of world: World) async throws -> String {
        let history = try await world.run("history", more: ["--format", "json"])
        return String(try #require(history.output.matches(of: /"run":\s*"([^"]+)"/).last?.output.1))
    }

    @Test("after foreign runs are found, the rest of their windows is requested by the same apply")
    func leftOver() async throws {
        let world = try await World(flows: 1, windows: 2, more: "      overlap: trim\n")
        let service = ServiceByHand(address: world.simulator.address)
        _ = try await service.createRun(flow: Fixture.id(0), start: 1_704_069_000, end: 1_704_072_600, column: "DOB")
        let result = try await world.apply()
        #expect(result.status == 0, "\(result.errors)")
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 3)
        #expect(counts.deltaColumnViolations == 0)
        try await world.end()
    }

    // MARK: Under a running apply

    @Test(
        "an apply whose ledger folder is moved or removed ends, and a second apply continues", arguments: [true, false])
    func folderGoesAway(isMoved: Bool) async throws {
        let world = try await World(flows: 2, windows: 20, "--fault", "slow:50ms")
        let target = try world.user.read("target.yaml")
        try world.user.write(target.replacing("ledger.sqlite", with: "state/ledger.sqlite"), to: "target.yaml")
        let first = try world.user.start(World.apply)
        try await world.simulator.wait(forRuns: 4)
        let state = world.user.path("state")
        if isMoved {
            try FileManager.default.moveItem(at: state, to: world.user.path("moved"))
        } else {
            try FileManager.default.removeItem(at: state)
        }
        let second = try await world.apply()
        #expect(second.status == 0, "\(second.errors)")
        let ended = try await first.end()
        #expect(ended.status == 74, "\(ended.errors)")
        try await world.expectOnceEach()
        try await world.end()
    }

    // MARK: Clocks

    @Test("a rerun in doubt is not requested again with any clock skew", arguments: ["-PT10M", "PT10M"])
    func rerunInDoubt(skew: String) async throws {
        let world = try await World(
            flows: 1, windows: 3, more: Self.reruns, "--date-skew=\(skew)", "--no-client", "--listing-lag", "PT0.3S",
            "--fault", "reset-after@2", "--fault", "slow:10s@4")
        let first = try world.user.start(World.apply)
        try await world.simulator.wait(forRuns: 4)
        first.signal(SIGKILL)
        _ = try await first.end()
        #expect(try await world.apply().status == 0)
        try await expectReruns(world)
        try await world.end()
    }

    @Test("only plan accepts a time in the future")
    func future() async throws {
        let world = try await World(flows: 1, windows: 1)
        let future = ["--as-of", "2100-01-01T00:00:00Z"]
        #expect(try await world.run("plan", more: future).status == 0)
        #expect(try await world.run("apply", more: future + ["--yes"]).status == 64)
        #expect(try await world.run("plan", more: future + ["--out", "plan.json"]).status == 0)
        #expect(try await world.simulator.statistics().postRequests == 0)
        try await world.end()
    }

    @Test(
        "a window of a series that has not ended by the service's clock is not requested",
        arguments: ["oldestFirst", "newestFirst"])
    func earlyWindow(order: String) async throws {
        let world = try await World(flows: 1, windows: 1, "--date-skew=-PT2H")
        let from = Int(Date().timeIntervalSince1970) - 12_600
        let flow = """
                - flowId: \(Fixture.id(0))
                  source: table
                  deltaColumn: {name: DOB}
                  order: \(order)
                  series: [{every: PT1H, from: \(from), until: now}]
            """
        try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        let result = try await world.apply()
        #expect(result.status == 75, "\(result.errors)")
        #expect(result.errors.contains("has not ended by the service's clock"))
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 1, "three have ended by this machine's clock")
        #expect(counts.deltaColumnViolations == 0)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    // MARK: Undecidable cases

    @Test("a request in doubt whose run has an unknown window is held until the window is acknowledged")
    func unknownWindow() async throws {
        let world = try await World(flows: 1, windows: 2, "--listed-windows", "unknown", "--fault", "reset-after@1")
        let held = try await world.apply()
        #expect(held.status == 75, "\(held.errors)")
        #expect(held.errors.contains("2024-01-01T00:00:00Z to 2024-01-01T01:00:00Z"))
        let pattern = /may be run ([0-9a-f-]{36}), whose window cannot be read/
        let run = try #require(held.errors.firstMatch(of: pattern)?.output.1, "\(held.errors)")

        func acknowledge(_ window: String) throws {
            let more = "      acknowledged: [{run: \(run), reason: looked it up\(window)}]\n"
            let flow = Fixture.flow(Fixture.id(0), windows: 2, more: more)
            try world.user.write(Fixture.manifest([flow]), to: "flows.yaml")
        }
        try acknowledge("")
        let still = try await world.apply()
        #expect(still.status == 75, "\(still.errors)")
        #expect(still.errors.contains("acknowledged without a window"), "\(still.errors)")
        #expect(try await world.simulator.statistics().postRequests == 1)

        try acknowledge(", window: {start: 1704067200, end: 1704070800}")
        let last = try await world.apply()
        #expect(last.status == 0, "\(last.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 2)
        #expect(try await world.run("plan", more: ["--detailed-exitcode"]).status == 0)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.end()
    }

    @Test("a window that was ingested twice is reported by every command, and verification fails")
    func ingestedTwice() async throws {
        let world = try await World(flows: 1, windows: 2)
        #expect(try await world.apply().status == 0)
        let first = try await run(of: world)
        let service = ServiceByHand(address: world.simulator.address)
        let second = try await service.createRun(flow: Fixture.id(0), start: 1_704_067_200, end: 1_704_070_800)
        let plan = try await world.run("plan", more: ["--refresh"])
        #expect(plan.status == 0, "\(plan.errors)")
        for told in ["SLU0212", second, first] { #expect(plan.errors.contains(told), "\(plan.errors)") }
        #expect(plan.output.contains("1 warning"))
        let status = try await world.run("status")
        #expect(status.output.contains(second), "\(status.output)")
        #expect(try await world.run("report", more: ["--out", "report.html"]).status == 0)
        #expect(try world.user.read("report.html").contains(second))
        let verified = try await world.run("ledger", "verify")
        #expect(verified.status == 74)
        #expect(verified.errors.contains(second))

        // A flow that is no longer declared is checked too.
        try world.user.write(Fixture.manifest([Fixture.flow(Fixture.id(1), windows: 2)]), to: "flows.yaml")
        let undeclared = try await world.run("ledger", "verify")
        #expect(undeclared.status == 74)
        for told in ["flow \(Fixture.id(0)), which no manifest declares", second] {
            #expect(undeclared.errors.contains(told), "\(undeclared.errors)")
        }

        let more = "      acknowledged: [{run: \(second), reason: the data was compared}]\n"
        try world.user.write(
            Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 2, more: more)]), to: "flows.yaml")
        #expect(try await world.run("ledger", "verify").status == 0)
        #expect(try await world.apply().status == 0)
        #expect(try await world.simulator.statistics().runsTaken == 3)
        try await world.end()
    }

    @Test("a run by hand across two windows is reported as time ingested twice, and verification fails")
    func ingestedTwiceInAnotherCut() async throws {
        let world = try await World(flows: 1, windows: 2)
        #expect(try await world.apply().status == 0)
        let service = ServiceByHand(address: world.simulator.address)
        let across = try await service.createRun(flow: Fixture.id(0), start: 1_704_067_200, end: 1_704_074_400)
        let plan = try await world.run("plan", more: ["--refresh"])
        for expected in ["SLU0215", across] { #expect(plan.errors.contains(expected), "\(plan.errors)") }
        let verified = try await world.run("ledger", "verify")
        #expect(verified.status == 74)
        for expected in ["SLU0215", across, "ingested more often than declared"] {
            #expect(verified.errors.contains(expected), "\(verified.errors)")
        }
        try await world.end()
    }

    @Test("after a recheck, the next apply waits and compares every run, and later ones do not")
    func recheck() async throws {
        let world = try await World(flows: 1, windows: 5, limits: World.patientLimits, "--page-size", "2")
        #expect(try await world.apply().status == 0)
        #expect(try await world.run("ledger", "recheck").status == 0)
        func declare(_ windows: Int) throws {
            try world.user.write(Fixture.manifest([Fixture.flow(Fixture.id(0), windows: windows)]), to: "flows.yaml")
        }
        try declare(6)
        let before = try await world.simulator.statistics().requests["GET /runs"] ?? 0
        let checked = try await world.apply()
        #expect(checked.status == 0)
        #expect(checked.errors.contains("the ledger was restored"), "\(checked.errors)")
        #expect(try await world.simulator.statistics().requests["GET /runs"] == before + 3, "every page")
        try declare(7)
        #expect(!(try await world.apply().errors.contains("the ledger was restored")))
        let counts = try await world.simulator.statistics()
        #expect(counts.runsTaken == 7)
        #expect(counts.windowsTakenTwice.isEmpty)
        try await world.end()
    }
}
