import FlowRuns

/// An ISO 8601 duration: `PT15M`, `P1D`, `P1DT12H`, `PT0.5S`. Only seconds may have a fraction, with a precision of
/// milliseconds.
package struct DurationText: Hashable, Sendable {
    var months: Int64 = 0
    var days: Int64 = 0
    /// The sum of hours, minutes and seconds.
    var clock = Duration.zero
    /// The number of units in the text.
    private(set) var units = 0

    /// Parses a duration; returns `nil` if the text is not a duration, or contains a number of more than nine digits.
    package init?(_ text: String) {
        var rest = text.utf8[...]
        guard rest.popFirst() == UInt8(ascii: "P") else { return nil }
        var isTime = false
        var allowed = "YMWD".utf8[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "T") {
                guard !isTime, rest.count > 1 else { return nil }
                isTime = true
                allowed = "HMS".utf8[...]
                rest.removeFirst()
                continue
            }
            guard let (whole, fraction) = Self.number(&rest), let unit = rest.popFirst(),
                let position = allowed.firstIndex(of: unit)
            else { return nil }
            // Units are in descending order, each at most once.
            allowed = allowed[allowed.index(after: position)...]
            guard fraction == nil || unit == UInt8(ascii: "S") else { return nil }
            add(whole, unit, isTime: isTime)
            clock += fraction ?? .zero
            units += 1
        }
        guard units > 0 else { return nil }
    }

    private mutating func add(_ number: Int64, _ unit: UInt8, isTime: Bool) {
        switch (unit, isTime) {
        case (UInt8(ascii: "Y"), _): months += number * 12
        case (UInt8(ascii: "M"), false): months += number
        case (UInt8(ascii: "W"), _): days += number * 7
        case (UInt8(ascii: "D"), _): days += number
        case (UInt8(ascii: "H"), _): clock += .seconds(number * 3600)
        case (UInt8(ascii: "M"), true): clock += .seconds(number * 60)
        default: clock += .seconds(number)
        }
    }

    /// Parses a number of at most nine digits, so that no sum can overflow, and up to three digits after a point.
    private static func number(_ rest: inout Substring.UTF8View) -> (whole: Int64, fraction: Duration?)? {
        func digits() -> Substring.UTF8View {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest.removeFirst(digits.count)
            return digits
        }
        func value(_ digits: Substring.UTF8View) -> Int64 { digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) } }

        let whole = digits()
        guard (1...9).contains(whole.count) else { return nil }
        guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") else { return (value(whole), nil) }
        rest.removeFirst()
        let fraction = digits()
        guard (1...3).contains(fraction.count) else { return nil }
        return (value(whole), .milliseconds(value(fraction) * [100, 10, 1][fraction.count - 1]))
    }

    /// The length, where a day has 24 hours; `nil` if the duration contains months, which have no fixed length.
    package var fixed: Duration? { months == 0 ? .seconds(days * 86_400) + clock : nil }

    /// The step of a series; `nil` unless the duration has exactly one unit, is positive, and is in whole seconds.
    var step: Series.Step? {
        guard units == 1 else { return nil }
        if months > 0 { return .months(Int(months)) }
        if days > 0 { return .days(Int(days)) }
        return clock > .zero && clock.isWholeSeconds ? .fixed(clock) : nil
    }
}

extension Duration {
    /// A hundred years of 366 days: the maximum step and lag of a series.
    static let hundredYears = Duration.seconds(36_600 * 86_400)

    var isWholeSeconds: Bool { components.attoseconds == 0 }
}
