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
