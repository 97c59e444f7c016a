/// Of a filter with several values, such as `id==A,B`.
package enum SeveralValues {
    /// So many ids fit into an address of 2,000 characters, which any server takes.
    package static let most = 50
}

extension Array {
    /// The elements in their order, so many at a time.
    package func inGroups(of size: Int) -> [Self] {
        stride(from: 0, to: count, by: size).map { Self(self[$0..<Swift.min($0 + size, count)]) }
    }
}
