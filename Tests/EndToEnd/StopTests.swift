import Foundation
import Testing

/// A stop in the middle of a wait, and waits and pages that would not end by themselves.
@Suite("Stops and refusals while reading", .timeLimit(.minutes(2)))
struct StopTests {
    @Test(
        "SIGINT ends a wait that the service asked for, in an apply and in a refresh", arguments: ["apply", "refresh"])
    func stopped(command: String) async throws {
        let world = try await World(flows: 1, windows: 1, "--fault", "get-runs/503-retry-after:5m")
        let arguments = [command, "flows.yaml", "target.yaml"] + (command == "apply" ? ["--yes"] : [])
        let program = try world.user.start(arguments)
        while !program.errorsSoFar.contains("answered 503, retrying in 30") {
            try await Task.sleep(for: .milliseconds(20))
        }
        program.signal(SIGINT)
        let result = try await program.end()
        #expect(result.status == 1, "\(result.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 0)
        try await world.end()
    }

    @Test("an API key that may not read anything is 77, and nothing is requested", arguments: ["apply", "refresh"])
    func forbidden(command: String) async throws {
        let world = try await World(
            flows: 1, windows: 1, "--fault", "get-flows/403", "--fault", "get-runs/403")
        let result = try await world.run(command, more: command == "apply" ? ["--yes"] : [])
        #expect(result.status == 77, "\(result.errors)")
        #expect(result.errors.contains("access denied (403)"))
        #expect(try await world.simulator.statistics().runsTaken == 0)
        try await world.end()
    }
}
