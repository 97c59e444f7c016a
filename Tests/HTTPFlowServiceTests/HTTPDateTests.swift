import FlowRuns
import TestSupport
import Testing
import Text

@testable import FlowService
@testable import HTTPFlowService

@Suite("Dates of HTTP headers")
struct HTTPDateTests {
    private static let now = Timestamp(seconds: 1_795_000_000)

    @Test(
        "all three forms of RFC 9110 are the same instant, in any case of letters",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt", "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun Nov 06 08:49:37 1994",
        ])
    func forms(text: String) {
        #expect(Timestamp(httpDate: text, now: Self.now) == Timestamp(seconds: 784_111_777))
    }

    @Test(
        "a two-digit year is at most 50 years ahead",
        arguments: [("00", 2000), ("26", 2026), ("76", 2076), ("77", 1977), ("99", 1999)])
    func century(digits: String, year: Int) {
        let time = Timestamp(httpDate: "Friday, 01-Jan-\(digits) 00:00:00 GMT", now: Self.now)
        #expect(time == Timestamp(year: year, month: 1, day: 1))
    }

    @Test(
        "what is not a date is none",
        arguments: [
            "", "yesterday", "Sun, 31 Feb 1994 08:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49",
            "Sun, 06 Nov 1994 08:49:61 GMT", "Sun Nov  6 24:00:00 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, -6 Nov 1994 08:49:37 GMT EST", "1994-11-06T08:49:37Z",
        ])
    func invalid(text: String) {
        #expect(Timestamp(httpDate: text, now: Self.now) == nil)
    }

    @Test("each form of a random instant is read back")
    func roundTrip() {
        var generator = SeededGenerator(seed: 12)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        for _ in 0..<500 {
            let time = Timestamp(seconds: Int64.random(in: 946_684_800..<3_000_000_000, using: &generator))
            let date = UTCTime(time)
            let (month, day) = (months[date.month - 1], date.day < 10 ? "0\(date.day)" : "\(date.day)")
            for text in [
                "Mon, \(day) \(month) \(date.year) \(date.time) GMT",
                "Monday, \(day)-\(month)-\("\(date.year)".suffix(2)) \(date.time) GMT",
                "Mon \(month) \(date.day < 10 ? " " : "")\(date.day) \(date.time) \(date.year)",
            ] {
                #expect(Timestamp(httpDate: text, now: Self.now) == time, "\(text)")
            }
        }
    }
}
