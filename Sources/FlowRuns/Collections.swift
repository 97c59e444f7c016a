extension Array {
    /// Splits the array into chunks of at most `size` elements.
    package func chunks(of size: Int) -> [Self] {
        stride(from: 0, to: count, by: size).map { Self(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension RandomAccessCollection {
    /// Finds where a predicate becomes true, in a collection whose first elements do not satisfy it and whose others do.
    ///
    /// - Returns: the index of the first element that satisfies the predicate; `endIndex` if none does.
    @inlinable
    package func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var (start, count) = (startIndex, count)
        while count > 0 {
            let half = count / 2
            let middle = index(start, offsetBy: half)
            if predicate(self[middle]) {
                count = half
            } else {
                start = index(after: middle)
                count -= half + 1
            }
        }
        return start
    }
}
