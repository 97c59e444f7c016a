import Foundation
import Testing

/// Appliers that are killed, stopped, and run against each other, on a service in a process of its own.
@Suite("Crashes and rivals", .serialized)
struct CrashTests {
    private static let limits =
        "{requestsPerSecond: 1000, parallelFlows: 4, requestTimeout: PT0.4S, settle: PT1.2S, maxRunsPerApply: 5000}"

    /// Manifests of some flows, served by a simulator; both in the folder of `user`.
    private func world(_ user: Program, flows: Int, windows: Int, _ faults: String...) async throws -> SimulatorProcess
    {
        let declared = (0..<flows).map {
            Fixture.flow(Fixture.id($0), windows: windows, column: $0 % 3 == 0 ? nil : "DOB")
        }
        try user.write(Fixture.manifest(declared), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        let simulator = try await SimulatorProcess(user, "flows.yaml", "target.yaml")
        try user.write(Fixture.target(service: simulator.address, limits: Self.limits), to: "target.yaml")
        return simulator
    }

    private func signedIn() throws -> Program {
        var user = try Program()
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        return user
    }

    private let apply = ["apply", "flows.yaml", "target.yaml", "--yes"]

    /// Applies until all is done, and checks that each window was taken once.
    private func finish(_ user: Program, _ simulator: SimulatorProcess, windows: Int) async throws {
        var status: Int32 = -1
        for _ in 0..<10 where status != 0 { status = try await user.run(apply).status }
        #expect(status == 0)
        let plan = try await user.run("plan", "flows.yaml", "target.yaml", "--detailed-exitcode")
        #expect(plan.status == 0, "\(plan.output)")
        let counts = try await simulator.statistics()
        #expect(counts.runsTaken == windows)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.deltaColumnViolations == 0)
        #expect(try await user.run("ledger", "verify", "flows.yaml", "target.yaml").status == 0)
        try await simulator.stop()
    }

    @Test("kill -9 at random moments neither repeats nor loses a window")
    func killed() async throws {
        let kills = ProcessInfo.processInfo.environment["SLUICE_KILLS"].flatMap(Int.init) ?? 12
        let user = try signedIn()
        defer { user.remove() }
        let windows = max(40, kills * 4)
        let simulator = try await world(user, flows: 6, windows: windows)
        var chance = SystemRandomNumberGenerator()
        for _ in 0..<kills {
            let program = try user.start(apply)
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &chance)))
            program.signal(SIGKILL)
            _ = try await program.end()
            let verified = try await user.run("ledger", "verify", "flows.yaml", "target.yaml")
            #expect(verified.status == 0, "\(verified.errors)")
        }
        try await finish(user, simulator, windows: 6 * windows)
    }

    @Test("appliers at once on one ledger make each request once", arguments: [2, 4, 8])
    func rivals(count: Int) async throws {
        let user = try signedIn()
        defer { user.remove() }
        let simulator = try await world(user, flows: 5, windows: 20)
        let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<count { group.addTask { try await user.run(apply).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.allSatisfy { [0, 75].contains($0) }, "\(statuses)")
        try await finish(user, simulator, windows: 100)
    }

    @Test("an applier stopped for longer than settle and woken again sends nothing twice")
    func frozen() async throws {
        let user = try signedIn()
        defer { user.remove() }
        let simulator = try await world(user, flows: 4, windows: 60)
        let sleeper = try user.start(apply)
        try await Task.sleep(for: .milliseconds(250))
        sleeper.signal(SIGSTOP)
        let successor = try await user.run(apply)
        #expect([0, 75].contains(successor.status), "\(successor.errors)")
        try await Task.sleep(for: .milliseconds(1500))
        sleeper.signal(SIGCONT)
        _ = try await sleeper.end()
        try await finish(user, simulator, windows: 240)
    }

    @Test("SIGTERM ends an apply in order: what is in flight is recorded, and the rest remains")
    func terminated() async throws {
        let user = try signedIn()
        defer { user.remove() }
        let simulator = try await world(user, flows: 4, windows: 200)
        let program = try user.start(apply)
        while !program.errorsSoFar.contains("+ ") { try await Task.sleep(for: .milliseconds(5)) }
        program.signal(SIGTERM)
        let result = try await program.end()
        #expect(result.status == 1)
        #expect(result.errors.contains("remain"))
        let doubtful = try await user.run(
            "history", "flows.yaml", "target.yaml", "--state", "inDoubt", "--state", "intended", "--format", "json")
        #expect(!doubtful.output.contains("\"state\""))
        try await finish(user, simulator, windows: 800)
    }
}
