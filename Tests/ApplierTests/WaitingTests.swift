import FlowRuns
import Testing

@testable import Applier

@Suite("Rates and waits")
struct WaitingTests {
    @Test("turns are spread evenly, and a quiet time is not made up for")
    func pace() {
        let pace = Pace(requestsPerSecond: 4)
        #expect((0..<4).map { _ in pace.turn(at: 1000) } == [0, 250, 500, 750])
        #expect(pace.turn(at: 10_000) == 0)
        #expect(pace.turn(at: 10_000) == 250)
    }

    @Test("waits double up to a bound, shortened by chance by half at most")
    func backoff() {
        var backoff = Backoff(first: 500, longest: 4000)
        #expect((0..<5).map { _ in backoff.next(chance: 1) } == [500, 1000, 2000, 4000, 4000])
        var lucky = Backoff(first: 500, longest: 4000)
        #expect(lucky.next(chance: 0) == 250)
        #expect(lucky.tries == 1)
    }

    @Test("what the service asks for is the least that is waited")
    func wish() {
        var backoff = Backoff(first: 500, longest: 4000)
        #expect(backoff.next(wish: 60_000, chance: 0) == 60_000)
        #expect(backoff.next(wish: 0, chance: 0.5) == 250)
    }
}
