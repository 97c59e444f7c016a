/// Returns the candidate most similar to `text`, or `nil` if none is similar. Up to a third of the letters may differ,
/// or the end may be missing; letter case is ignored.
package func nearest(to text: String, among candidates: some Sequence<String>) -> String? {
    // The cost is the product of both lengths, and no long text is a typing error.
    guard !text.isEmpty, text.utf8.count <= 100 else { return nil }
    let letters = Array(text.lowercased().utf8)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let candidateLetters = Array(candidate.lowercased().utf8)
        let allowed = max(1, max(letters.count, candidateLetters.count) / 3)
        guard abs(letters.count - candidateLetters.count) <= allowed else { continue }
        let distance = editDistance(letters, to: candidateLetters)
        if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate ?? candidates.first { text.count > 2 && $0.lowercased().hasPrefix(text.lowercased()) }
}

/// Returns the edit distance, where a swap of two neighbouring letters counts as one edit.
private func editDistance(_ left: [UInt8], to right: [UInt8]) -> Int {
    var beforeLast = [Int]()
    var last = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        current.reserveCapacity(right.count + 1)
        for column in right.indices {
            let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
            var distance = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, beforeLast[column - 1] + 1)
            }
            current.append(distance)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
