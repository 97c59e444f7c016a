import FlowRuns
import Testing

@Suite("Instants and durations")
struct TimestampTests {
    @Test("seconds are rounded down, before 1970 too", arguments: [(1999, 1), (0, 0), (-1, -1), (-1000, -1)])
    func seconds(milliseconds: Int64, seconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).seconds == seconds)
        #expect(Duration.milliseconds(milliseconds).wholeSeconds == seconds)
    }

    @Test("a wait is rounded up to seconds", arguments: [(1, 1), (1000, 1), (1001, 2), (0, 0)])
    func waits(milliseconds: Int64, seconds: Int64) {
        #expect(Duration.milliseconds(milliseconds).secondsRoundedUp == seconds)
    }

    @Test("instants and durations can be added and subtracted")
    func arithmetic() {
        let time = Timestamp(milliseconds: 1_651_584_991_250)
        #expect(time + .milliseconds(750) == Timestamp(seconds: 1_651_584_992))
        #expect(time - .seconds(1) == Timestamp(milliseconds: 1_651_584_990_250))
        #expect(Timestamp(seconds: 5) - Timestamp(seconds: 8) == .seconds(-3))
        #expect("\(time)" == "2022-05-03T13:36:31Z")
    }

    @Test("arithmetic beyond the range saturates")
    func saturation() {
        #expect(Timestamp(seconds: .max) == .max)
        #expect(Timestamp(seconds: .min) == .min)
        #expect(Timestamp.max + .milliseconds(1) == .max)
        #expect(Timestamp.max - .milliseconds(-1) == .max)
        #expect(Timestamp.min - .milliseconds(1) == .min)
        #expect(Timestamp(seconds: 0) + .seconds(Int64.max) == .max)
        #expect(Timestamp(seconds: 0) + .seconds(Int64.min) == .min)
        #expect(Timestamp.max - .min == .milliseconds(Int64.max))
        #expect(Timestamp.min - .max == .milliseconds(Int64.min))
    }

    @Test("a duration finer than a millisecond is rounded down")
    func fineSpans() {
        #expect(Duration.microseconds(1999).milliseconds == 1)
        #expect(Duration.microseconds(-1).milliseconds == -1)
        #expect(Duration.microseconds(-1_000_001).milliseconds == -1001)
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(Duration.seconds(Int64.min).milliseconds == .min)
    }
}
