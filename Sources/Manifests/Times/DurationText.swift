import FlowRuns

/// An ISO 8601 duration: `PT15M`, `P1D`, `P1DT12H`, `PT0.5S`. Only the last unit, if it is seconds, may have a
/// fraction, down to milliseconds.
public struct DurationText: Hashable, Sendable {
    var months: Int64 = 0
    var days: Int64 = 0
    var milliseconds: Int64 = 0
    /// How many units the text names.
    private(set) var units = 0

    /// `nil` when the text is not a duration, or is longer than some thousand years.
    public init?(_ text: String) {
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
            guard let (whole, thousandths) = Self.number(&rest), let unit = rest.popFirst(),
                let position = allowed.firstIndex(of: unit)
            else { return nil }
            // Units go from the largest to the smallest, none twice.
            allowed = allowed[allowed.index(after: position)...]
            guard thousandths == nil || unit == UInt8(ascii: "S") else { return nil }
            add(whole, unit, isTime: isTime)
            milliseconds += thousandths ?? 0
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
        case (UInt8(ascii: "H"), _): milliseconds += number * 3_600_000
        case (UInt8(ascii: "M"), true): milliseconds += number * 60_000
        default: milliseconds += number * 1000
        }
    }

    /// At most nine digits, so that no sum can overflow; up to three more after a point.
    private static func number(_ rest: inout Substring.UTF8View) -> (whole: Int64, thousandths: Int64?)? {
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
        return (value(whole), value(fraction) * [100, 10, 1][fraction.count - 1])
    }

    /// The length where a day is 24 hours; `nil` when there are months in it, which have no fixed length.
    public var fixedMilliseconds: UnixMilliseconds? { months == 0 ? days * 86_400_000 + milliseconds : nil }

    /// The step of a series: one unit only, at least one of it, whole seconds.
    var step: Series.Step? {
        guard units == 1 else { return nil }
        if months > 0 { return .months(Int(months)) }
        if days > 0 { return .days(Int(days)) }
        return milliseconds > 0 && milliseconds % 1000 == 0 ? .seconds(milliseconds / 1000) : nil
    }
}
