import FlowRuns

private let minute: Int64 = 60
private let hour = 60 * minute
private let day = 24 * hour
/// The mean year of the Gregorian calendar.
private let secondsPerYear: Int64 = 31_556_952
let meanYear = Duration.seconds(secondsPerYear)

/// A length of time, its two largest units: `1d`, `1h 30m`; from two years on, `12 years`.
func spanText(_ span: Duration) -> String {
    let seconds = span.wholeSeconds
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
package func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

extension Window {
    /// `2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z`
    func text(_ ellipsis: String) -> String { "\(start) \(ellipsis) \(end)" }
}
