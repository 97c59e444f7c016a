import Foundation
import Testing

/// Company proxies and gateways between Sluice and the service.
@Suite("Gateways in front of the service", .timeLimit(.minutes(3)))
struct GatewayTests {
    /// Applies two windows through a gateway.
    private func apply(
        _ habit: Gateway.Habit, _ options: String...
    ) async throws -> (Program.Result, Duration, runsTaken: Int) {
        let world = try await World(flows: 1, windows: 2, limits: World.patientLimits, options)
        let gateway = try await Gateway(habit, before: world.simulator.address, world.user)
        try world.user.write(
            Fixture.target(service: gateway.address, limits: World.patientLimits), to: "target.yaml")
        try world.simulator.journal(of: world.user, service: gateway.address).create()
        let start = ContinuousClock.now
        let result = try await world.apply()
        let duration = ContinuousClock.now - start
        let counts = try await world.simulator.statistics()
        #expect(counts.windowsTakenTwice.isEmpty)
        try await gateway.stop()
        try await world.end()
        return (result, duration, counts.runsTaken)
    }

    @Test("answers that are compressed unasked are understood", arguments: [Gateway.Habit.gzip, .deflate])
    func compressed(habit: Gateway.Habit) async throws {
        let (result, _, runsTaken) = try await apply(habit)
        #expect(result.status == 0, "\(result.errors)")
        #expect(runsTaken == 2)
    }

    @Test("a coding that cannot be decoded is named before anything is sent")
    func unknownCoding() async throws {
        let (result, _, runsTaken) = try await apply(.brotli)
        #expect(result.status == 69, "\(result.errors)")
        #expect(result.errors.contains("encoded as 'br'"), "\(result.errors)")
        #expect(runsTaken == 0)
    }

    @Test("dates in their obsolete forms are waited for", arguments: [Gateway.Habit.rfc850, .asctime])
    func obsoleteDates(habit: Gateway.Habit) async throws {
        let (result, duration, runsTaken) = try await apply(habit)
        #expect(result.status == 0, "\(result.errors)")
        #expect(runsTaken == 2)
        #expect(duration > .seconds(2.5), "\(duration)")
    }

    @Test(
        "a listing from a cache settles no request in doubt: each window is requested once",
        arguments: [Gateway.Habit.cache, .silentCache])
    func cachedListing(habit: Gateway.Habit) async throws {
        let (result, _, runsTaken) = try await apply(habit)
        #expect(result.status == 0, "\(result.errors)")
        #expect(runsTaken == 2)
    }

    @Test("a cache that no question passes holds the flow, and is named")
    func deepCache() async throws {
        let (result, _, runsTaken) = try await apply(.deepCache)
        #expect(result.status == 75, "\(result.errors)")
        #expect(result.errors.contains("a cache answers instead of the Flow Service"), "\(result.errors)")
        #expect(result.errors.contains("proxy.corp.example"), "\(result.errors)")
        #expect(runsTaken == 1)
    }

    @Test("a Date that jumps ahead by an hour does not settle a request in doubt before its time")
    func clockJump() async throws {
        let (result, duration, runsTaken) = try await apply(.clockJump, "--listing-lag", "PT2S")
        #expect(result.status == 0, "\(result.errors)")
        #expect(runsTaken == 2)
        #expect(duration > .seconds(2), "\(duration)")
    }
}
