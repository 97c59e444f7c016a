import FlowRuns
import Manifests
import Text

/// Formats a number with thousands separators, such as `99,950`.
package func grouped(_ number: Int) -> String { number.grouped }

/// Formats a count with its noun, such as `1 window` or `340 windows`. All outputs use this function for counts.
///
/// - Parameters:
///   - number: The count.
///   - noun: The noun in the singular.
///   - plural: The plural of the noun; `nil` appends an `s`.
package func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

extension [String] {
    /// The elements as an enumeration: `a`, `a and b`, `a, b and c`.
    package var listed: String {
        guard count > 1 else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " and " + self[count - 1]
    }
}

extension Expectation {
    /// Describes a lack of records, such as `0 records, and at least 1 is expected`; returns `nil` if there are enough.
    func shortfall(of records: Int64) -> String? {
        guard records < minimumRecords else { return nil }
        let expected = minimumRecords == 1 ? "1 is" : "\(grouped(Int(minimumRecords))) are"
        return "\(counted(Int(records), "record")), and at least \(expected) expected"
    }
}

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
