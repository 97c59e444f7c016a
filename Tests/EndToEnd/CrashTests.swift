import Foundation
import Testing

/// Applies that are killed, stopped, or run concurrently.
@Suite("Crashes and rivals", .serialized)
struct CrashTests {
    @Test("kill -9 at random moments neither repeats nor loses a window")
    func killed() async throws {
        let kills = ProcessInfo.processInfo.environment["SLUICE_KILLS"].flatMap(Int.init) ?? 12
        let world = try await World(flows: 6, windows: max(40, kills * 2))
        var chance = SystemRandomNumberGenerator()
        for _ in 0..<kills {
            let program = try world.user.start(World.apply)
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &chance)))
            program.signal(SIGKILL)
            _ = try await program.end()
            let verified = try await world.run("ledger", "verify")
            #expect(verified.status == 0, "\(verified.errors)")
        }
        try await world.finish()
    }

    @Test("concurrent applies on one ledger make each request once", arguments: [2, 4, 8])
    func rivals(count: Int) async throws {
        let world = try await World(flows: 5, windows: 20)
        let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<count { group.addTask { try await world.apply().status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.allSatisfy { [0, 75].contains($0) }, "\(statuses)")
        try await world.finish()
    }

    @Test("an apply that is stopped for longer than settle and resumed sends nothing twice")
    func frozen() async throws {
        // Longer than in other tests, because a busy machine may deliver a request so late that the guarantee does not
        // apply.
        let limits =
            "{requestsPerSecond: 1000, parallelFlows: 4, requestTimeout: PT1S, settle: PT4S, maxRunsPerApply: 5000}"
        let world = try await World(flows: 4, windows: 60, limits: limits)
        let sleeper = try world.user.start(World.apply)
        try await Task.sleep(for: .milliseconds(250))
        sleeper.signal(SIGSTOP)
        let successor = try await world.apply()
        #expect([0, 75].contains(successor.status), "\(successor.errors)")
        try await Task.sleep(for: .milliseconds(1500))
        sleeper.signal(SIGCONT)
        _ = try await sleeper.end()
        try await world.finish()
    }

    @Test("SIGTERM ends an apply in order: requests in flight are recorded, and the others remain")
    func terminated() async throws {
        let world = try await World(flows: 4, windows: 200, limits: World.patientLimits)
        let program = try world.user.start(World.apply)
        try await program.waitForErrors("+ ")
        program.signal(SIGTERM)
        let result = try await program.end()
        #expect(result.status == 1)
        #expect(result.errors.contains("remain"))
        let doubtful = try await world.run(
            "history", more: ["--state", "inDoubt", "--state", "intended", "--format", "json"])
        #expect(!doubtful.output.contains("\"state\""))
        try await world.finish()
    }

    @Test("a second SIGINT exits immediately with a correct ledger")
    func interruptedTwice() async throws {
        let world = try await World(flows: 1, windows: 3, limits: World.patientLimits, "--fault", "slow:1500ms@2")
        let program = try world.user.start(World.apply)
        try await program.waitForErrors("+ ")
        try await Task.sleep(for: .milliseconds(50))
        program.signal(SIGINT)
        try await program.waitForErrors("stopping")
        program.signal(SIGINT)
        #expect(try await program.end().status == 130)
        #expect(try await world.run("ledger", "verify").status == 0)
        try await world.finish()
    }
}
