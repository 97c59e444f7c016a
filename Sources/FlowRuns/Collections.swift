extension Array {
    /// Splits the array into chunks of at most `size` elements.
    package func chunks(of size: Int) -> [Self] {
        stride(from: 0, to: count, by: size).map { Self(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension Array {
    /// Appends an element, unless the last element absorbs it.
    @inlinable
    package mutating func fold(_ element: Element, absorb: (inout Element, Element) -> Bool) {
        if let last = indices.last, absorb(&self[last], element) { return }
        append(element)
    }

    /// Folds elements, each into the one before it where possible.
    @inlinable
    package init(folding elements: some Sequence<Element>, absorb: (inout Element, Element) -> Bool) {
        self.init()
        for element in elements { fold(element, absorb: absorb) }
    }
}

extension Sequence {
    /// Groups the elements by key, in the order in which the keys first occur.
    package func groups<Key: Hashable>(by key: (Element) -> Key) -> [(key: Key, elements: [Element])] {
        var groups: [(key: Key, elements: [Element])] = []
        var indices: [Key: Int] = [:]
        for element in self {
            let key = key(element)
            if let index = indices[key] {
                groups[index].elements.append(element)
            } else {
                indices[key] = groups.count
                groups.append((key, [element]))
            }
        }
        return groups
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
