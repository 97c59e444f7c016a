import FlowRuns

/// Windows that touch and are equally long, by the clock or by the calendar, taken as one.
struct FoldedWindows: Hashable {
    private(set) var start: Timestamp
    private(set) var end: Timestamp
    private(set) var count = 1
    private let noun: String
    private var shortest: Duration
    private var longest: Duration

    /// Lengths that are one in the calendar: days of 23 to 25 hours, months of 28 to 31 days.
    private static let calendarUnits: [(name: String, lengths: ClosedRange<Duration>)] = {
        let day = Duration.seconds(86_400)
        let slack = Duration.seconds(3600)
        let units: [(String, ClosedRange<Int>)] = [
            ("1d", 1...1), ("7d", 7...7), ("14d", 14...14), ("1 month", 28...31), ("3 months", 89...92),
            ("6 months", 181...184), ("1 year", 365...366),
        ]
        return units.map { ($0, day * $1.lowerBound - slack...day * $1.upperBound + slack) }
    }()

    /// - Parameter noun: what they are, in the plural.
    init(_ window: Window, noun: String = "windows") {
        self.noun = noun
        start = window.start
        end = window.end
        shortest = window.length
        longest = window.length
    }

    /// Takes the others in when they go on where these end, or lead to where they start; says whether it did.
    mutating func take(_ other: FoldedWindows) -> Bool {
        guard other.start == end || other.end == start else { return false }
        let (least, most) = (min(shortest, other.shortest), max(longest, other.longest))
        guard least == most || Self.unit(of: least, most) != nil else { return false }
        start = min(start, other.start)
        end = max(end, other.end)
        count += other.count
        shortest = least
        longest = most
        return true
    }

    /// Takes in so many windows that follow at equal steps, each as long as this one, up to the last of them; says
    /// whether each touches the one before.
    mutating func take(_ more: Int, upTo last: Window) -> Bool {
        let (earliest, latest) = (min(start, last.start), max(end, last.end))
        guard count == 1, latest - earliest == longest * (more + 1) else { return false }
        (start, end) = (earliest, latest)
        count += more
        return true
    }

    /// `365 windows of 1d`, and of days that are not all equally long, `365 windows of 1d (23-25h)`; for a single
    /// one its length.
    var sizeText: String {
        guard count > 1 else { return spanText(longest) }
        let text = "\(grouped(count)) \(noun) of "
        guard shortest != longest, let unit = Self.unit(of: shortest, longest) else { return text + spanText(longest) }
        // Everybody knows that months differ; that a day is cut short is worth a word.
        return text + unit + (unit.hasSuffix("d") ? " (\(shortest.wholeHours)-\(longest.wholeHours)h)" : "")
    }

    /// `2024-01-01T00:00:00Z … 2024-12-31T00:00:00Z`
    func rangeText(_ ellipsis: String) -> String { "\(start) \(ellipsis) \(end)" }

    private static func unit(of shortest: Duration, _ longest: Duration) -> String? {
        calendarUnits.first { $0.lengths.contains(shortest) && $0.lengths.contains(longest) }?.name
    }
}

extension Duration {
    fileprivate var wholeHours: Int64 { wholeSeconds / 3600 }
}
