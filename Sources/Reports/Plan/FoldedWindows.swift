import FlowRuns
import Manifests

/// Adjacent windows of equal length, by the clock or by the calendar, combined into one range.
struct FoldedWindows: Hashable {
    private(set) var start: Timestamp
    private(set) var end: Timestamp
    private(set) var count = 1
    private let noun: String
    private var shortest: Duration
    private var longest: Duration

    /// Lengths that are equal by the calendar: days of 23 to 25 hours, months of 28 to 31 days.
    private static let calendarUnits: [(name: String, lengths: ClosedRange<Duration>)] = {
        let day = Duration.seconds(86_400)
        let slack = Duration.seconds(3600)
        let units: [(String, ClosedRange<Int>)] = [
            ("1d", 1...1), ("7d", 7...7), ("14d", 14...14), ("1 month", 28...31), ("3 months", 89...92),
            ("6 months", 181...184), ("1 year", 365...366),
        ]
        return units.map { ($0, day * $1.lowerBound - slack...day * $1.upperBound + slack) }
    }()

    /// Creates a range of one window.
    ///
    /// - Parameter noun: The plural noun in the description of several windows.
    init(_ window: Window, noun: String = "windows") {
        self.noun = noun
        start = window.start
        end = window.end
        shortest = window.length
        longest = window.length
    }

    /// Merges another range if it is adjacent on either side and has windows of the same length.
    ///
    /// - Returns: Whether the ranges were merged.
    mutating func merge(_ other: FoldedWindows) -> Bool {
        guard other.start == end || other.end == start else { return false }
        let (newShortest, newLongest) = (min(shortest, other.shortest), max(longest, other.longest))
        guard newShortest == newLongest || Self.unit(of: newShortest, to: newLongest) != nil else { return false }
        start = min(start, other.start)
        end = max(end, other.end)
        count += other.count
        shortest = newShortest
        longest = newLongest
        return true
    }

    /// Merges `more` windows of the same length that follow at equal steps, if all of them are adjacent.
    ///
    /// - Parameter last: The last of these windows.
    /// - Returns: Whether the windows were merged.
    mutating func merge(_ more: Int, upTo last: Window) -> Bool {
        let (earliest, latest) = (min(start, last.start), max(end, last.end))
        guard count == 1, latest - earliest == longest * (more + 1) else { return false }
        (start, end) = (earliest, latest)
        count += more
        return true
    }

    /// The count and the length of the windows, such as `365 windows of 1d`; for a single window only its length.
    ///
    /// If days differ in length, so does the text: `365 windows of 1d (23-25h)`.
    var sizeText: String {
        guard count > 1 else { return spanText(longest) }
        let text = "\(grouped(count)) \(noun) of "
        guard shortest != longest, let unit = Self.unit(of: shortest, to: longest) else {
            return text + spanText(longest)
        }
        // Mention only days of different lengths: that months differ is well known.
        return text + unit + (unit.hasSuffix("d") ? " (\(shortest.wholeHours)-\(longest.wholeHours)h)" : "")
    }

    /// Formats the range, such as `2024-01-01T00:00:00Z … 2024-12-31T00:00:00Z`.
    func rangeText(_ ellipsis: String) -> String { "\(start) \(ellipsis) \(end)" }

    private static func unit(of shortest: Duration, to longest: Duration) -> String? {
        calendarUnits.first { $0.lengths.contains(shortest) && $0.lengths.contains(longest) }?.name
    }
}

extension Duration {
    fileprivate var wholeHours: Int64 { wholeSeconds / 3600 }
}

/// A formatter for times in the time zone of a series.
struct ZonedTimes {
    private let name: String
    private let clock: LocalClock

    /// Creates a formatter; returns `nil` if the machine does not support the time zone.
    ///
    /// - Parameter name: An IANA name, such as `Europe/Berlin`.
    init?(_ name: String) {
        guard let clock = LocalClock(name) else { return nil }
        self.name = name
        self.clock = clock
    }

    /// Formats a range, such as `2024-01-02 00:00 +01:00 … 2025-01-01 00:00 +01:00 Europe/Berlin`.
    func text(_ windows: FoldedWindows, _ ellipsis: String) -> String {
        "\(text(windows.start)) \(ellipsis) \(text(windows.end)) \(name)"
    }

    /// Formats a time with its offset, which distinguishes the two equal hours at the end of daylight saving time.
    private func text(_ moment: Timestamp) -> String {
        let offset = clock.offset(at: moment).components.seconds
        let shown = UTCTime(moment + .seconds(offset))
        let time = shown.secondOfDay % 60 == 0 ? String(shown.time.dropLast(3)) : shown.time
        let minutes = UTCTime(Timestamp(seconds: Int64(offset.magnitude))).time.dropLast(3)
        return "\(shown.date) \(time) \(offset < 0 ? "-" : "+")\(minutes)"
    }
}
