import FlowRuns
import TestSupport
import Testing
import Text

@testable import FlowService
@testable import HTTPFlowService

@Suite("Rates and waits")
struct WaitingTests {
    @Test("turns are evenly spaced, and idle time is not accumulated")
    func turns() {
        let limiter = RateLimiter(requestsPerSecond: 4)
        let start = MonotonicInstant.now
        #expect((0..<4).map { _ in limiter.reserveTurn(at: start) } == [0, 250, 500, 750].map { .milliseconds($0) })
        #expect(limiter.reserveTurn(at: start + .seconds(10)) == .zero)
        #expect(limiter.reserveTurn(at: start + .seconds(10)) == .milliseconds(250))
    }

    @Test("waits double up to a limit, with a random reduction of at most half, until the attempts are used up")
    func doubled() {
        func delays(_ random: Double) -> [Duration?] {
            let policy = RetryPolicy(
                maxAttempts: 6, firstDelay: .milliseconds(500), maxDelay: .seconds(4), random: { random })
            return (1...6).map { policy.delay(after: $0) }
        }
        #expect(delays(1) == [500, 1000, 2000, 4000, 4000].map { .milliseconds($0) } + [nil])
        #expect(delays(0) == [250, 500, 1000, 2000, 2000].map { .milliseconds($0) } + [nil])
    }

    @Test("a Retry-After is the minimum wait; if it is too long, the request is not retried")
    func retryAfter() {
        let policy = RetryPolicy(maxRetryAfter: .seconds(600), random: { 0.5 })
        let waits = [0, 90, 600].map { policy.delay(after: 1, retryAfter: .seconds($0)) }
        #expect(waits == [0, 90, 600].map { .seconds($0) + .milliseconds(250) })
        #expect(policy.delay(after: 1, retryAfter: .seconds(601)) == nil)
        #expect(policy.delay(after: 5, retryAfter: .zero) == nil)
    }

    @Test("a stop ends a pause, and prevents later ones", .timeLimit(.minutes(1)))
    func pause() async {
        let stop = StopSignal()
        async let pause: Void = SystemTime().pause(.seconds(86_400), unless: stop)
        stop.request()
        await pause
        await SystemTime().pause(.seconds(86_400), unless: stop)
        #expect(stop.isRequested)
    }
}

@Suite("The service's time")
struct ServiceClockTests {
    private static let start = MonotonicInstant.now

    private static func after(_ milliseconds: Int64) -> MonotonicInstant { start + .milliseconds(milliseconds) }

    @Test("the service's time is unknown before the first answer, then an interval of the round trip plus one second")
    func interval() {
        var clock = ServiceClock()
        #expect(clock.time(at: Self.start) == nil)
        clock.record(date: Timestamp(seconds: 100), sent: Self.start, received: Self.after(200))
        #expect(
            clock.time(at: Self.after(5200))
                == ServiceTime(
                    earliest: Timestamp(seconds: 105), latest: Timestamp(milliseconds: 106_200)))
    }

    @Test("answers that agree narrow the interval")
    func narrowing() {
        var clock = ServiceClock()
        clock.record(date: Timestamp(seconds: 100), sent: Self.start, received: Self.after(2_000))
        clock.record(date: Timestamp(seconds: 101), sent: Self.after(2_500), received: Self.after(2_600))
        #expect(
            clock.time(at: Self.after(2_600))
                == ServiceTime(earliest: Timestamp(seconds: 101), latest: Timestamp(milliseconds: 102_100)))
    }

    @Test("answers that contradict each other widen the interval, and a clock that no answer confirms is forgotten")
    func widening() {
        var clock = ServiceClock()
        clock.record(date: Timestamp(seconds: 100), sent: Self.start, received: Self.start)
        clock.record(date: Timestamp(seconds: 500), sent: Self.after(3_000), received: Self.after(3_000))
        #expect(
            clock.time(at: Self.after(3_000))
                == ServiceTime(earliest: Timestamp(seconds: 103), latest: Timestamp(seconds: 501)))
        clock.record(date: Timestamp(seconds: 1_098), sent: Self.after(601_000), received: Self.after(601_000))
        #expect(clock.time(at: Self.after(601_000))?.earliest == Timestamp(seconds: 1_098))
    }

    @Test("a date is behind when it is older than one seen before, by more than the resolution of dates")
    func lag() {
        var clock = ServiceClock()
        func lag(_ date: Int64, at seconds: Int64) -> Duration? {
            let instant = Self.after(seconds * 1_000)
            return clock.lag(ofDate: Timestamp(seconds: date), sent: instant, received: instant)
        }
        func record(_ date: Int64, at seconds: Int64) {
            let instant = Self.after(seconds * 1_000)
            clock.record(date: Timestamp(seconds: date), sent: instant, received: instant)
        }
        record(1_000, at: 0)
        #expect(lag(1_010, at: 10) == nil)
        #expect(lag(1_008, at: 10) == nil, "within the resolution of dates")
        #expect(lag(900, at: 10) == .seconds(109))
        #expect(lag(1_020, at: 10) == nil)
    }

    @Test("the real time is within the interval for any clocks and any latency")
    func bounds() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            var clock = ServiceClock()
            // The service's time at `start`, in milliseconds; the clocks are otherwise independent.
            let offset = Int64.random(in: 0...2_000_000_000_000, using: &generator)
            var now: Int64 = 0
            for _ in 0..<20 {
                let sent = now + Int64.random(in: 0...300_000, using: &generator)
                let answered = sent + Int64.random(in: 0...30_000, using: &generator)
                let received = answered + Int64.random(in: 0...30_000, using: &generator)
                clock.record(
                    date: Timestamp(seconds: (offset + answered) / 1000), sent: Self.after(sent),
                    received: Self.after(received))
                now = received + Int64.random(in: 0...10_000, using: &generator)
                let time = try #require(clock.time(at: Self.after(now)))
                let real = Timestamp(milliseconds: offset + now)
                #expect(time.earliest <= real && real <= time.latest)
            }
        }
    }

    @Test("every answer with a Date sets the service's time, and each page has its own")
    func answers() async throws {
        let time = TestTime()
        var options = HTTPFlowService.Options.quick
        options.time = time
        try await serving(
            { connection in
                while let request = await connection.request() {
                    let second = request.head.hasPrefix("POST") ? 37 : 42
                    try await connection.answer(
                        200, #"{"items":[]}"#, headers: ["Date: Sun, 06 Nov 1994 08:49:\(second) GMT"])
                }
            }, options: options
        ) { service, _ in
            let date = Timestamp(seconds: 784_111_777)
            #expect(service.serviceTime() == nil)
            _ = await service.createRun("{}", sendBefore: .later)
            #expect(service.serviceTime() == ServiceTime(earliest: date, latest: date + .seconds(1)))
            time.advance(.seconds(5))
            #expect(service.serviceTime()?.earliest == date + .seconds(5))
            let page = try await service.runs(of: Tutorial.flow, newestFirst: true, after: nil)
            #expect(page.date == date + .seconds(5))
            #expect(page.requestedAt == date + .seconds(5))
        }
    }

    @Test("the service's time is unknown while no answer has a valid Date")
    func noDate() async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(200, #"{"items":[]}"#, headers: ["Date: yesterday"])
            }
        }) { service, _ in
            let page = try await service.runs(of: Tutorial.flow, newestFirst: true, after: nil)
            #expect(page.date == nil)
            #expect(page.requestedAt == nil)
            #expect(service.serviceTime() == nil)
        }
    }
}
