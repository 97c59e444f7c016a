import FlowRuns

private let minute: Int64 = 60
private let hour = 60 * minute
private let day = 24 * hour
/// The mean year of the Gregorian calendar, in seconds.
private let secondsPerYear: Int64 = 31_556_952
let meanYear = Duration.seconds(secondsPerYear)

/// Formats a duration with its two largest units, such as `1d` or `1h 30m`; from two years on, such as `12 years`.
func spanText(_ span: Duration) -> String {
    let seconds = span.wholeSeconds
    guard seconds > 0 else { return "0s" }
    if seconds >= 2 * secondsPerYear {
        // Ten calendar years can be some hours longer or shorter than ten mean years.
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

/// Formats a duration with its largest unit, rounded down, such as `6 h` or `35 d`.
func roughText(_ span: Duration) -> String {
    let seconds = span.wholeSeconds
    switch seconds {
    case ..<minute: return "\(seconds) s"
    case ..<hour: return "\(seconds / minute) min"
    case ..<(2 * day): return "\(seconds / hour) h"
    case ..<(2 * secondsPerYear): return "\(seconds / day) d"
    default: return "\(seconds / secondsPerYear) y"
    }
}

extension Window {
    /// Formats the window, such as `2024-01-01T00:00:00Z … 2024-01-02T00:00:00Z`.
    func text(_ ellipsis: String) -> String { "\(start) \(ellipsis) \(end)" }
}
