import FlowRuns
import Foundation
import Manifests
import TestSupport
import Testing
import Text

@Suite("Windows of a series")
struct SeriesWindowsTests {
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Africa/Cairo", "Australia/Lord_Howe",
        "Pacific/Apia", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Europe/London",
        "Asia/Tehran", "Pacific/Kwajalein", "Asia/Manila",
    ]

    private func boundaries(_ progressions: [WindowProgression]) -> [Timestamp] {
        guard let first = progressions.first else { return [] }
        return [first.start] + progressions.flatMap { $0.map(\.end) }
    }

    private func series(_ yaml: String) throws -> Series {
        let (manifests, diagnostics) = try load(manifest(flow: "series:\n  - \(yaml)"))
        #expect(!diagnostics.hasErrors)
        return try #require(manifests.flows.first?.series.first)
    }

    private func utc(_ text: String) throws -> Timestamp {
        Timestamp(seconds: Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970))
    }

    /// Returns the boundaries in the zone's local time.
    private func local(_ series: Series, asOf: String) throws -> [String] {
        let format = DateFormatter()
        format.timeZone = TimeZone(identifier: series.timeZone)
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyy-MM-dd HH:mm"
        return boundaries(series.windows(dueAt: try utc(asOf))).map {
            format.string(from: Date(timeIntervalSince1970: TimeInterval($0.seconds)))
        }
    }

    @Test("windows touch, never overlap, and cover the time from the start to the last due boundary", arguments: zones)
    func coverage(zone: String) {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<60 {
            let from = Timestamp(seconds: .random(in: 0...2_000_000_000, using: &random))
            let asOf = from + .seconds(Int.random(in: 1...200_000_000, using: &random))
            let lag = Duration.seconds([0, 7200, 86_400].randomElement(using: &random) ?? 0)
            let every: Series.Step =
                switch Int.random(in: 0..<3, using: &random) {
                case 0: .fixed(.seconds(Int.random(in: 60...100_000, using: &random)))
                case 1: .days(.random(in: 1...10, using: &random))
                default: .months(.random(in: 1...14, using: &random))
                }
            let series = Series(
                every: every, from: from, until: .now, timeZone: zone, lag: lag,
                place: Place(file: "test.yaml", line: 1, column: 1))
            let progressions = series.windows(dueAt: asOf)
            let boundaries = boundaries(progressions)

            #expect(boundaries.first ?? from == from)
            #expect(boundaries.last ?? from <= asOf - lag)
            #expect(zip(boundaries, boundaries.dropFirst()).allSatisfy { $0 < $1 })
            #expect(zip(progressions, progressions.dropFirst()).allSatisfy { $0.end == $1.start })
            #expect(zip(progressions, progressions.dropFirst()).allSatisfy { $0.length != $1.length })
            // Windows that are due remain due; passing time only adds windows.
            let later = self.boundaries(series.windows(dueAt: asOf + .seconds(40_000_000)))
            #expect(later.starts(with: boundaries) && later.count >= boundaries.count)
        }
    }

    @Test("days of a zone with DST begin when the calendar day begins", arguments: zones)
    func daysBeginWithTheDay(zone: String) throws {
        let series = try series("{every: P1D, from: 2010-01-01, until: now, timeZone: \(zone)}")
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: zone))
        for boundary in boundaries(series.windows(dueAt: try utc("2020-01-01T00:00:00Z"))) {
            let date = Date(timeIntervalSince1970: TimeInterval(boundary.seconds))
            #expect(calendar.startOfDay(for: date) == date, "\(boundary)")
        }
    }

    @Test("the day on which DST begins has 23 hours, and the day on which it ends has 25")
    func daylightSaving() throws {
        let series = try series("{every: P1D, from: 2024-03-30, until: now, timeZone: Europe/Berlin}")
        let progressions = series.windows(dueAt: try utc("2024-11-01T00:00:00Z"))
        #expect(progressions.map { $0.length / .seconds(3600) } == [24, 23, 24, 25, 24])
        #expect(progressions.map(\.count) == [1, 1, 209, 1, 4])
    }

    @Test("ten years of days in Berlin need only 41 progressions")
    func coalescing() throws {
        let series = try series("{every: P1D, from: 2014-01-01, until: 2024-01-01, timeZone: Europe/Berlin}")
        let progressions = series.windows(dueAt: .max)
        #expect(progressions.reduce(0) { $0 + $1.count } == 3652)
        #expect(progressions.count == 41)
    }

    @Test("a DST change of half an hour results in days of 23.5 and 24.5 hours")
    func lordHowe() throws {
        let series = try series("{every: P1D, from: 2024-04-06, until: now, timeZone: Australia/Lord_Howe}")
        let lengths = series.windows(dueAt: try utc("2024-10-08T00:00:00Z")).map(\.length)
        #expect(lengths == [.seconds(86_400), .seconds(88_200), .seconds(86_400), .seconds(84_600), .seconds(86_400)])
    }

    @Test("a day without midnight begins at one o'clock, and the next at midnight again")
    func missingMidnight() throws {
        let series = try series("{every: P1D, from: 2018-11-04, until: now, timeZone: America/Sao_Paulo}")
        #expect(
            try local(series, asOf: "2018-11-06T12:00:00Z") == [
                "2018-11-04 01:00", "2018-11-05 00:00", "2018-11-06 00:00",
            ])
    }

    @Test("a day skipped at the date line has no window")
    func missingDay() throws {
        let series = try series("{every: P1D, from: 2011-12-28, until: now, timeZone: Pacific/Apia}")
        #expect(
            try local(series, asOf: "2012-01-01T12:00:00Z") == [
                "2011-12-28 00:00", "2011-12-29 00:00", "2011-12-31 00:00", "2012-01-01 00:00", "2012-01-02 00:00",
            ])
    }

    @Test("months are counted from the first window, so the 31st returns after a short month")
    func monthEnds() throws {
        let series = try series("{every: P1M, from: 2024-01-31, until: now}")
        #expect(
            try local(series, asOf: "2024-06-01T00:00:00Z").map { $0.prefix(10) } == [
                "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31",
            ])
    }

    @Test("years from a leap day end on 28 February, and on the leap day four years later")
    func leapDays() throws {
        let series = try series("{every: P1Y, from: 2020-02-29, until: now, timeZone: Europe/London}")
        #expect(
            try local(series, asOf: "2024-03-01T00:00:00Z").map { $0.prefix(10) } == [
                "2020-02-29", "2021-02-28", "2022-02-28", "2023-02-28", "2024-02-29",
            ])
    }

    @Test("a fixed until leaves out the last partial window")
    func remainder() throws {
        let series = try series("{every: P1W, from: 2024-01-01, until: 2024-01-20}")
        #expect(boundaries(series.windows(dueAt: .max)).last == (try utc("2024-01-15T00:00:00Z")))
    }

    @Test("a window is due in the second in which it ends, plus the lag")
    func due() throws {
        let end = try utc("2024-01-02T00:00:00Z")
        let plain = try series("{every: P1D, from: 2024-01-01, until: now}")
        #expect(plain.windows(dueAt: end - .seconds(1)).isEmpty)
        #expect(plain.windows(dueAt: end).map(\.count) == [1])
        let late = try series("{every: P1D, from: 2024-01-01, until: now, lag: PT2H}")
        #expect(late.windows(dueAt: end + .seconds(7199)).isEmpty)
        #expect(late.windows(dueAt: end + .seconds(7200)).map(\.count) == [1])
    }

    @Test("quarter hours over ten years are one progression")
    func quarterHours() throws {
        let series = try series("{every: PT15M, from: 2014-01-01, until: 2024-01-01, timeZone: Europe/Berlin}")
        #expect(series.windows(dueAt: .max).map(\.count) == [3652 * 96])
        #expect(series.excess(dueAt: .max) == nil)
    }

    @Test("a series of every second since 1970 is refused without being enumerated")
    func tooMany() throws {
        let series = try series("{every: PT1S, from: 1970-01-01, until: now}")
        #expect(series.excess(dueAt: Timestamp(seconds: 5_000_000)) == nil)
        #expect(series.excess(dueAt: Timestamp(seconds: 5_000_001))?.code == .seriesTooLong)
    }

    @Test(
        "windows can be computed for any instant",
        arguments: [Timestamp.min, Timestamp(seconds: -1), Timestamp(seconds: 0), .max])
    func extremes(asOf: Timestamp) {
        let place = Place(file: "test.yaml", line: 1, column: 1)
        for from in [Timestamp.min, Timestamp(seconds: 0), .max] {
            for every in [
                Series.Step.fixed(.seconds(Int64.max)), .fixed(.seconds(1)), .days(.max), .days(-1), .months(.max),
                .months(0),
            ] {
                for lag in [Duration.seconds(Int64.min), .zero, .seconds(Int64.max)] {
                    let series = Series(every: every, from: from, until: .now, lag: lag, place: place)
                    #expect(series.windows(dueAt: asOf).count <= 1)
                }
            }
        }
    }

    @Test("a progression has the same windows by index and by iteration")
    func progression() {
        let progression = WindowProgression(start: Timestamp(seconds: 10), length: .seconds(5), count: 3)
        #expect(
            Array(progression) == [
                Window(startSeconds: 10, endSeconds: 15), Window(startSeconds: 15, endSeconds: 20),
                Window(startSeconds: 20, endSeconds: 25),
            ])
        #expect((0..<3).map { progression[$0] } == Array(progression))
        #expect(progression[3] == nil && progression[-1] == nil)
        #expect(progression.end == Timestamp(seconds: 25))
    }
}
