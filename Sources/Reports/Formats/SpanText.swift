import FlowRuns

private let minute: Int64 = 60
private let hour = 60 * minute
private let day = 24 * hour
/// The mean year of the Gregorian calendar.
let secondsPerYear: Int64 = 31_556_952

/// A length of time, its two largest units: `1d`, `1h 30m`; from two years on, `12 years`.
func spanText(_ seconds: Int64) -> String {
    guard seconds > 0 else { return "0s" }
    if seconds >= 2 * secondsPerYear {
        // Ten calendar years are some hours more or less than ten mean ones.
        return "\(grouped(Int((seconds - secondsPerYear / 2) / secondsPerYear) + 1)) years"
    }
    var rest = seconds
    var words: [String] = []
    for (unit, name) in [(day, "d"), (hour, "h"), (minute, "m"), (1, "s")] {
        if rest >= unit { words.append("\(rest / unit)\(name)") }
        rest %= unit
    }
    return words.prefix(2).joined(separator: " ")
}

/// `99,950`
func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return text
}

/// `1 window`, `340 windows`
func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// The UTC text of a moment in milliseconds, to the second.
func utcText(_ milliseconds: UnixMilliseconds) -> String { UTCTime(milliseconds / 1000).description }

extension Window {
    /// As ``length``, for windows that came from elsewhere and may be as long as all time.
    var safeLength: Int64 {
        let (length, overflow) = end.subtractingReportingOverflow(start)
        return overflow ? .max : length
    }

    /// `2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z`
    func text(_ ellipsis: String) -> String { "\(UTCTime(start)) \(ellipsis) \(UTCTime(end))" }
}
