/// A step that applies the merge keys of one document: `<<: *base` and `<<: [*first, *second]`. A mapping's own keys
/// override merged ones, and an earlier merged mapping overrides a later one (the `!!merge` type of YAML 1.1).
///
/// Reads the nodes as written and appends the merged document to `result`. The recursion is no deeper than
/// `ReadingLimits.depth`, which was enforced when the document was composed.
struct MergeKeys {
    private struct Pair {
        let key: Int
        let value: Int
    }

    let written: [StoredNode]
    let arena: [UInt8]
    var result: [StoredNode]

    /// Appends a node and its subtree.
    mutating func append(_ index: Int) {
        let node = written[index]
        guard node.hasMergeKey else {
            return result.append(contentsOf: written[index..<index + Int(node.span)])
        }
        let position = result.count
        result.append(node)
        if node.kind == .mapping {
            var pairs: [Pair] = []
            collect(index, into: &pairs)
            pairs = withoutOverridden(pairs)
            for pair in pairs {
                append(pair.key)
                append(pair.value)
            }
            result[position].count = UInt32(pairs.count)
        } else {
            var element = index + 1
            for _ in 0..<node.count {
                append(element)
                element += Int(written[element].span)
            }
        }
        result[position].span = UInt32(result.count - position)
    }

    /// Collects the pairs of a mapping and of everything it merges, overriding pairs before overridden ones.
    private func collect(_ mapping: Int, into pairs: inout [Pair]) {
        var merged: [Int] = []
        var key = mapping + 1
        for _ in 0..<written[mapping].count {
            let value = key + Int(written[key].span)
            if written[key].isMergeKey(arena) {
                merged.append(value)
            } else {
                pairs.append(Pair(key: key, value: value))
            }
            key = value + Int(written[value].span)
        }
        for value in merged {
            switch written[value].kind {
            case .mapping: collect(value, into: &pairs)
            case .scalar: continue
            case .sequence:
                var element = value + 1
                for _ in 0..<written[value].count {
                    if written[element].kind == .mapping { collect(element, into: &pairs) }
                    element += Int(written[element].span)
                }
            }
        }
    }

    private func withoutOverridden(_ pairs: [Pair]) -> [Pair] {
        let byText = pairs.indices.sorted { left, right in
            arena.orderText(written[pairs[left].key], written[pairs[right].key]) ?? (left < right)
        }
        var isOverridden = Array(repeating: false, count: pairs.count)
        for (winner, loser) in zip(byText, byText.dropFirst())
        where arena.hasSameText(written[pairs[winner].key], written[pairs[loser].key]) {
            isOverridden[loser] = true
        }
        return pairs.indices.filter { !isOverridden[$0] }.map { pairs[$0] }
    }
}
