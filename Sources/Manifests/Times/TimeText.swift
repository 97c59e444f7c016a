import FlowRuns

/// A time as written in a manifest: Unix seconds, RFC 3339 or, in a series only, a local date or date-time.
package enum TimeText: Hashable {
    case instant(Timestamp)
    /// A date or date-time without an offset, represented as if it were UTC.
    case local(civil: Timestamp)

    /// The exclusive upper bound of all times, in the year 5138. A larger number is not in seconds: as milliseconds, it
    /// would be in 1973 or later.
    static let end = Timestamp(seconds: 100_000_000_000)
    /// The inclusive lower bound of all times, 1970-01-01T00:00:00Z.
    static let start = Timestamp(seconds: 0)
    /// The lower bound for the start of a series that is walked, as far before 1970 as ``end`` is after it.
    static let earliest = Timestamp(seconds: -100_000_000_000)
    /// The threshold for a warning, 2200-01-01T00:00:00Z. A window that ends later is probably a mistake, as in the
    /// sample of the API documentation.
    static let farFuture = Timestamp(seconds: 7_258_118_400)

    /// Validates that a number is a time in Unix seconds.
    static func seconds(_ number: Int64) throws(TimeTextError) -> Timestamp {
        if (start.seconds..<end.seconds).contains(number) { return Timestamp(seconds: number) }
        guard number > 0 else {
            throw TimeTextError(
                message: "the time \(number) is before 1970", suggestion: "write Unix seconds or RFC 3339")
        }
        let units: [(name: String, perSecond: Int64)] = [
            ("milliseconds", 1000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000),
        ]
        guard let unit = units.first(where: { number / $0.perSecond < end.seconds }) else {
            throw TimeTextError(message: "the time \(number) is too far in the future")
        }
        let seconds = number / unit.perSecond
        throw TimeTextError(
            code: .timeNotInSeconds, message: "the time \(number) is in \(unit.name); use seconds",
            suggestion: "write \(seconds), which is \(Timestamp(seconds: seconds))")
    }

    /// Parses a time. The caller decides whether a local time is allowed.
    ///
    /// - Throws: ``TimeTextError`` if the text is not a time, does not exist, or is not in whole seconds from 1970 to
    ///   5137.
    package static func read(_ text: String) throws(TimeTextError) -> TimeText {
        if let number = Int64(text) { return .instant(try seconds(number)) }
        guard let fields = RFC3339Fields(text) else {
            throw TimeTextError(
                message: "invalid time \(quoted(text))",
                suggestion: "write Unix seconds (1651584991) or RFC 3339 (2022-05-03T13:36:31Z)")
        }
        guard
            let civil = Timestamp(
                year: fields.year, month: fields.month, day: fields.day, hour: fields.hour, minute: fields.minute,
                second: fields.second)
        else { throw TimeTextError(message: "the date or time \(quoted(text)) does not exist") }
        guard !fields.hasFraction else {
            throw TimeTextError(
                message: "the time \(quoted(text)) has a fraction of a second; use whole seconds")
        }
        let time = civil - (fields.offset ?? .zero)
        guard (start..<end).contains(time) else {
            throw TimeTextError(message: "the time \(quoted(text)) is out of range: use 1970 to 5137")
        }
        return fields.offset == nil ? .local(civil: civil) : .instant(time)
    }
}

/// The reason why a text is not a valid time, and a suggested fix.
package struct TimeTextError: Error, Hashable {
    let code: DiagnosticCode
    package let message: String
    package let suggestion: String?

    package init(message: String, suggestion: String? = nil) {
        self.init(code: .badTime, message: message, suggestion: suggestion)
    }

    init(code: DiagnosticCode, message: String, suggestion: String? = nil) {
        self.code = code
        self.message = message
        self.suggestion = suggestion
    }
}

/// The fields of `2022-05-03`, `2022-05-03T15:00:00`, `2022-05-03T15:00:00Z` and `2022-05-03T15:00:00.000+02:00`.
/// Letters may be in either case, and a space may replace the T, as RFC 3339 section 5.6 allows.
private struct RFC3339Fields {
    var year = 0
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
    /// Whether the time has a fraction of a second that is not zero.
    var hasFraction = false
    /// The offset east of Greenwich; `nil` if the text has none.
    var offset: Duration?

    init?(_ text: String) {
        var rest = text.utf8[...]
        func consume(_ options: String) -> UInt8? {
            guard let byte = rest.first, options.utf8.contains(byte) else { return nil }
            rest.removeFirst()
            return byte
        }
        func number(_ width: Int) -> Int? {
            let digits = rest.prefix(width)
            guard digits.count == width, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
            rest.removeFirst(width)
            return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        guard let year = number(4), consume("-") != nil, let month = number(2), consume("-") != nil, let day = number(2)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        if rest.isEmpty { return }

        guard consume("Tt ") != nil, let hour = number(2), consume(":") != nil, let minute = number(2),
            consume(":") != nil,
            let second = number(2)
        else { return nil }
        (self.hour, self.minute, self.second) = (hour, minute, second)
        if consume(".") != nil {
            let fraction = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !fraction.isEmpty else { return nil }
            hasFraction = fraction.contains { $0 != 0x30 }
            rest.removeFirst(fraction.count)
        }
        if rest.isEmpty { return }

        if consume("Zz") != nil {
            offset = .zero
        } else {
            guard let sign = consume("+-"), let hours = number(2), consume(":") != nil, let minutes = number(2),
                hours < 24,
                minutes < 60
            else { return nil }
            let seconds = hours * 3600 + minutes * 60
            offset = .seconds(sign == UInt8(ascii: "-") ? -seconds : seconds)
        }
        guard rest.isEmpty else { return nil }
    }
}
