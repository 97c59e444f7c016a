import Foundation
import Testing

/// What became of the runs: `refresh`, `apply --wait`.
@Suite("Refreshing and waiting")
struct RefreshTests {
    @Test("apply --wait goes on until every run has ended, and says which failed")
    func waited() async throws {
        let world = try await World(flows: 2, windows: 8, "--failed", "0.3", "--speed", "10", "--seed", "2")
        let result = try await world.apply("--wait")
        #expect(result.status == 1)
        #expect(result.errors.contains("Waited for 16 run(s): "))
        #expect(result.errors.contains("failed: CONNECTOR-2001-500"))
        let again = try await world.apply("--wait", "--format", "json")
        #expect(again.status == 0, "what failed before this wait is not its affair")
        #expect(again.output.contains(#""event":"waitEnded","succeeded":0,"partial":0,"failed":0,"running":0"#))
        try await world.end()
    }

    @Test("a wait that takes too long ends with 75, and leaves the runs to the next one")
    func timedOut() async throws {
        let world = try await World(flows: 1, windows: 3, "--speed", "0.01")
        let result = try await world.apply("--wait", "--timeout", "PT0.5S")
        #expect(result.status == 75)
        #expect(result.errors.contains("Waited for 3 run(s): 3 still under way."))
        #expect(try await world.apply("--timeout", "PT1S").status == 64)
        try await world.expectOnceEach()
        try await world.end()
    }

    @Test("a first refresh reads every page, and the flows' shared specification a few times at most")
    func pages() async throws {
        let world = try await World(flows: 6, windows: 25, "--page-size", "10", "--speed", "10000")
        #expect(try await world.apply().status == 0)
        try world.loseLedger()
        let first = try await world.run("refresh")
        #expect(first.errors.contains("refreshed 6 flow(s): read 150 run(s), 150 new"))
        let second = try await world.run("refresh", more: ["--full"])
        #expect(second.errors.contains("read 150 run(s), 0 new, 0 ended"))
        try await world.expectOnceEach()
        try await world.end()
    }
}
