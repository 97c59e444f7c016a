import Foundation

/// A `property` filter of a query, such as `metrics.statusSummary.status==Failed` or `id==A,B`.
///
/// Words are compared case-insensitively, numbers numerically.
struct PropertyFilter: Hashable, Sendable {
    enum Comparison: String, CaseIterable {
        case equal = "=="
        case unequal = "!="
        case atLeast = ">="
        case atMost = "<="
        case above = ">"
        case below = "<"
        case contains = "~"
    }

    /// A component of a property path: an object's member or, with `[]`, any element of the member's array.
    private struct Step: Hashable {
        let name: String
        let isArray: Bool
    }

    private let path: [Step]
    let comparison: Comparison
    /// The alternative values to compare with.
    private(set) var values: [String]

    init(_ text: String) throws(ServiceError) {
        guard let mark = text.firstIndex(where: { "=!<>~".contains($0) }), mark > text.startIndex,
            let comparison = Comparison.allCases.first(where: { text[mark...].hasPrefix($0.rawValue) })
        else { throw .badQuery("Cannot filter by property '\(text)'.") }
        path = text[..<mark].split(separator: ".", omittingEmptySubsequences: false).map { name in
            let isArray = name.hasSuffix("[]")
            return Step(name: String(isArray ? name.dropLast(2) : name), isArray: isArray)
        }
        guard path.allSatisfy({ !$0.name.isEmpty }) else { throw .badQuery("Cannot filter by property '\(text)'.") }
        self.comparison = comparison
        values = text[mark...].dropFirst(comparison.rawValue.count).split(
            separator: ",", omittingEmptySubsequences: false
        ).map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \"'")) }
    }

    /// Returns the filter as the service interprets several values; `nil` if the service ignores the filter.
    func understood(as meaning: SeveralValuesMeaning) throws(ServiceError) -> PropertyFilter? {
        guard values.count > 1, meaning != .any else { return self }
        var filter = self
        switch meaning {
        case .any: break
        case .first: filter.values = Array(values.prefix(1))
        case .literal: filter.values = [values.joined(separator: ",")]
        case .ignored: return nil
        case .refused: throw .badQuery("Cannot filter by several values: '\(values.joined(separator: ","))'.")
        }
        return filter
    }

    /// Returns the values to which the filter limits the property; `nil` if this is not an equality filter on the
    /// property.
    func values(of name: String) -> [String]? {
        comparison == .equal && path == [Step(name: name, isArray: false)] ? values : nil
    }

    func matches(_ item: JSONValue) -> Bool {
        let actual = Self.values(in: item, at: path[...])
        guard comparison != .unequal else { return !actual.contains { value in values.contains { value.equals($0) } } }
        return actual.contains { value in values.contains { matches(value, $0) } }
    }

    private func matches(_ actual: JSONValue, _ expected: String) -> Bool {
        switch comparison {
        case .equal, .unequal: actual.equals(expected)
        case .contains: actual.words?.lowercased().contains(expected.lowercased()) ?? false
        case .above: actual.isInOrder(after: expected) == .orderedDescending
        case .below: actual.isInOrder(after: expected) == .orderedAscending
        case .atLeast: [.orderedDescending, .orderedSame].contains(actual.isInOrder(after: expected))
        case .atMost: [.orderedAscending, .orderedSame].contains(actual.isInOrder(after: expected))
        }
    }

    /// Returns the values at a path: none, one, or several if the path contains arrays.
    private static func values(in item: JSONValue, at path: ArraySlice<Step>) -> [JSONValue] {
        guard let step = path.first else { return [item] }
        guard let member = item[step.name] else { return [] }
        guard step.isArray else { return values(in: member, at: path.dropFirst()) }
        return (member.array ?? []).flatMap { values(in: $0, at: path.dropFirst()) }
    }
}

extension JSONValue {
    /// The text of a scalar; `nil` for an array, an object and null.
    fileprivate var words: String? {
        switch self {
        case .boolean(let boolean): boolean ? "true" : "false"
        case .integer(let integer): String(integer)
        case .number(let number): String(number)
        case .string(let string): string
        case .null, .array, .object: nil
        }
    }

    fileprivate func equals(_ value: String) -> Bool { isInOrder(after: value) == .orderedSame }

    /// Compares this value with `value`: `.orderedAscending` if this value is smaller, `nil` if it is not a scalar.
    fileprivate func isInOrder(after value: String) -> ComparisonResult? {
        guard let words else { return nil }
        if let number = Double(words), let other = Double(value) {
            return number < other ? .orderedAscending : number > other ? .orderedDescending : .orderedSame
        }
        return words.lowercased().compare(value.lowercased())
    }

    /// Compares two values for sorting; a missing value sorts first.
    func isInOrder(after other: JSONValue?) -> ComparisonResult {
        guard let value = other?.words else { return words == nil ? .orderedSame : .orderedDescending }
        return isInOrder(after: value) ?? .orderedAscending
    }
}
