import FlowRuns
import Testing

@testable import Applier

@Suite("Rates and waits")
struct WaitingTests {
    @Test("turns are spread evenly, and a quiet time is not made up for")
    func pace() {
        let pace = Pace(requestsPerSecond: 4)
        #expect(
            (0..<4).map { _ in pace.turn(at: Timestamp(milliseconds: 1000)) } == [
                .milliseconds(0), .milliseconds(250), .milliseconds(500), .milliseconds(750),
            ])
        #expect(pace.turn(at: Timestamp(milliseconds: 10_000)) == .milliseconds(0))
        #expect(pace.turn(at: Timestamp(milliseconds: 10_000)) == .milliseconds(250))
    }

    @Test("waits double up to a bound, shortened by chance by half at most")
    func backoff() {
        var backoff = Backoff(first: .milliseconds(500), longest: .milliseconds(4000))
        #expect(
            (0..<5).map { _ in backoff.next(chance: 1) } == [
                .milliseconds(500), .milliseconds(1000), .milliseconds(2000), .milliseconds(4000), .milliseconds(4000),
            ])
        var lucky = Backoff(first: .milliseconds(500), longest: .milliseconds(4000))
        #expect(lucky.next(chance: 0) == .milliseconds(250))
        #expect(lucky.tries == 1)
    }

    @Test("what the service asks for is the least that is waited")
    func wish() {
        var backoff = Backoff(first: .milliseconds(500), longest: .milliseconds(4000))
        #expect(backoff.next(wish: .milliseconds(60_000), chance: 0) == .milliseconds(60_000))
        #expect(backoff.next(wish: .milliseconds(0), chance: 0.5) == .milliseconds(250))
    }
}
