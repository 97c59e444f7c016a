import FlowRuns

/// A POSIX TZ string with the extensions of TZif: `CET-1CEST,M3.5.0,M10.5.0/3`, `<+03>-3`.
struct PosixZone {
    struct Daylight {
        /// Seconds east of Greenwich.
        let offset: Int32
        let start: Change
        let end: Change
    }

    /// When the clocks change in each year.
    struct Change {
        enum Day {
            /// Counted from 1, without 29 February.
            case julian(Int)
            /// Counted from 0, with 29 February.
            case zeroBased(Int)
            /// The week is 1 to 5, where 5 is the last; the weekday is 0 to 6, where 0 is Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }

        let day: Day
        /// Seconds after midnight: also below 0 and more than a day.
        let time: Int64

        /// The moment in a year by the local clock, as if it were UTC.
        func seconds(of year: Int) -> Int64 {
            let start = Timestamp(year: year, month: 1, day: 1)?.seconds ?? 0
            let days: Int
            switch day {
            case .zeroBased(let number): days = number
            case .julian(let number):
                days = number - (number < 60 || UTCTime.daysInMonth(2, of: year) == 28 ? 1 : 0)
            case .weekday(let month, let week, let weekday):
                let before = (1..<month).reduce(0) { $0 + UTCTime.daysInMonth($1, of: year) }
                // 1 January 1970 was a Thursday.
                let weekdayOfFirst = Int(((start / 86_400 + Int64(before) + 4) % 7 + 7) % 7)
                let day = (weekday - weekdayOfFirst + 7) % 7 + (week - 1) * 7
                days = before + (day < UTCTime.daysInMonth(month, of: year) ? day : day - 7)
            }
            return start + Int64(days) * 86_400 + time
        }
    }

    /// Seconds east of Greenwich.
    let standard: Int32
    let daylight: Daylight?

    /// `nil` for anything that is not such a string.
    init?(_ text: ArraySlice<UInt8>) {
        var scanner = PosixScanner(rest: text)
        guard scanner.skipName(), let west = scanner.time(maxHours: 24) else { return nil }
        standard = Int32(-west)
        guard !scanner.rest.isEmpty else {
            daylight = nil
            return
        }
        guard scanner.skipName() else { return nil }
        let hasOffset = scanner.rest.first != UInt8(ascii: ",")
        guard let daylightWest = hasOffset ? scanner.time(maxHours: 24) : west - 3600, scanner.skip(","),
            let start = scanner.change(), scanner.skip(","), let end = scanner.change(), scanner.rest.isEmpty
        else { return nil }
        daylight = Daylight(offset: Int32(-daylightWest), start: start, end: end)
    }
}

private struct PosixScanner {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// `CET`, or in angle brackets with digits and signs.
    mutating func skipName() -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        if skip("<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")), end > rest.startIndex else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let name = rest.prefix(while: isLetter)
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return range.contains(value) ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(maxHours: Int) -> Int64? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard let hours = number(0...maxHours) else { return nil }
        var seconds = hours * 3600
        for unit in [60, 1] where rest.first == UInt8(ascii: ":") {
            _ = skip(":")
            guard let value = number(0...59) else { return nil }
            seconds += value * unit
        }
        return Int64(isNegative ? -seconds : seconds)
    }

    /// `M3.5.0/3`, `J60`, `59`.
    mutating func change() -> PosixZone.Change? {
        let day: PosixZone.Change.Day
        if skip("M") {
            guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
                let weekday = number(0...6)
            else { return nil }
            day = .weekday(month: month, week: week, weekday: weekday)
        } else if skip("J") {
            guard let number = number(1...365) else { return nil }
            day = .julian(number)
        } else {
            guard let number = number(0...365) else { return nil }
            day = .zeroBased(number)
        }
        guard skip("/") else { return PosixZone.Change(day: day, time: 2 * 3600) }
        return time(maxHours: 167).map { PosixZone.Change(day: day, time: $0) }
    }
}
