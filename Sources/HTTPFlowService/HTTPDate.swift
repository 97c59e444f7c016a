import FlowRuns
import FlowService

extension Timestamp {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Parses an HTTP date in each of the three forms that a recipient must accept (RFC 9110, section 5.6.7):
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
    ///
    /// The day's name is not checked. Unix time has no leap seconds, so `:60` becomes `:59`.
    ///
    /// - Parameter now: determines the century of a two-digit year, which is at most 50 years in the future.
    init?(httpDate text: String, now: Timestamp) {
        let words = text.split { " ,-".contains($0) }
        let (day, month, year, time): (Substring, Substring, Substring, Substring)
        switch words.count {
        case 6 where ["GMT", "UTC"].contains(words[5].uppercased()):
            (day, month, year, time) = (words[1], words[2], words[3], words[4])
        case 5: (month, day, time, year) = (words[1], words[2], words[3], words[4])
        default: return nil
        }
        let clock = time.split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, clock[2] <= 60, let day = Int(day), let digits = Int(year), digits >= 0,
            let month = Self.months.firstIndex(of: month.lowercased())
        else { return nil }
        self.init(
            year: year.count == 2 ? Self.year(endingIn: digits, near: UTCTime(now).year) : digits, month: month + 1,
            day: day, hour: clock[0], minute: clock[1], second: Swift.min(clock[2], 59))
    }

    /// Returns the year from 49 years before to 50 years after `current` that ends in these two digits.
    private static func year(endingIn digits: Int, near current: Int) -> Int {
        let first = current - 49
        return first + ((digits - first) % 100 + 100) % 100
    }
}
