/// A moment of the proleptic Gregorian calendar in UTC, computed without time zone data. Times in output are formatted
/// with this type, so the text is the same on every machine.
package struct UTCTime: Hashable, Sendable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int
    /// Seconds since midnight.
    package let secondOfDay: Int

    /// Creates the calendar time of an instant, dropping any fraction of a second.
    package init(_ time: Timestamp) {
        let (days, second) = time.seconds.quotientAndRemainder(flooring: 86_400)
        // The civil-from-days algorithm: eras of 400 years, years that begin in March.
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooring: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        secondOfDay = Int(second)
    }

    /// The time in RFC 3339, in UTC: `2022-05-03T13:36:31Z`.
    package var description: String { "\(date)T\(time)Z" }

    /// The date: `2022-05-03`.
    package var date: String { "\(padded(year, width: 4))-\(padded(month, width: 2))-\(padded(day, width: 2))" }

    /// The time of day: `13:36:31`.
    package var time: String {
        "\(padded(secondOfDay / 3600, width: 2)):\(padded(secondOfDay / 60 % 60, width: 2)):\(padded(secondOfDay % 60, width: 2))"
    }

    /// Returns the number of days in a month, 28 to 31.
    package static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Timestamp {
    /// Creates an instant from a date and time in UTC; returns `nil` if the date or time of day does not exist.
    package init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...UTCTime.daysInMonth(month, of: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = shiftedYear.quotientAndRemainder(flooring: 400)
        let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        self.init(seconds: days * 86_400 + Int64(hour * 3600 + minute * 60 + second))
    }
}

private func padded(_ number: Int, width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int64 {
    /// Divides, rounding down, so that moments before 1970 fall on the correct day.
    fileprivate func quotientAndRemainder(flooring divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
