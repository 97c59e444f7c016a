import FlowRuns
import Testing

@Suite("UTC time")
struct UTCTimeTests {
    @Test(
        "instants are formatted as RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_651_584_991, "2022-05-03T13:36:31Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (16_515_859_567, "2493-05-13T18:46:07Z"),
        ])
    func written(seconds: Int64, text: String) { #expect(Timestamp(seconds: seconds).description == text) }

    @Test("dates and seconds convert back and forth on every day of 800 years")
    func roundTrip() throws {
        var day = try #require(Timestamp(year: 1600, month: 1, day: 1))
        for _ in 0..<(800 * 365) {
            let time = UTCTime(day)
            #expect(Timestamp(year: time.year, month: time.month, day: time.day) == day)
            day += .seconds(86_400)
        }
    }

    @Test("nonexistent dates have no timestamp")
    func noSuchDay() {
        #expect(Timestamp(year: 2023, month: 2, day: 29) == nil)
        #expect(Timestamp(year: 2024, month: 4, day: 31) == nil)
        #expect(Timestamp(year: 2024, month: 1, day: 1, hour: 24) == nil)
    }
}
