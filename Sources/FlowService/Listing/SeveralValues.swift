/// Limits of a filter with several values, such as `id==A,B`.
package enum SeveralValues {
    /// Maximum IDs per filter. Keeps the URL below 2,000 characters, which all servers accept.
    package static let most = 50
}

extension Array {
    /// Splits the array into chunks of at most `size` elements.
    package func inGroups(of size: Int) -> [Self] {
        stride(from: 0, to: count, by: size).map { Self(self[$0..<Swift.min($0 + size, count)]) }
    }
}
