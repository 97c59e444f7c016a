/// The check of a mapping's keys, made when the mapping ends: all keys are scalars, no two have the same text, and `<<`
/// merges only mappings. Keys are compared by text, quoted or not, because they are looked up by text.
struct KeyCheck {
    /// The scalar keys, reused across mappings to avoid allocations.
    private var keys: [Int] = []

    mutating func check(
        _ mapping: Int, _ nodes: [StoredNode], _ arena: [UInt8], _ errors: inout ErrorList
    ) throws(YAMLError) {
        keys.removeAll(keepingCapacity: true)
        var key = mapping + 1
        for _ in 0..<nodes[mapping].count {
            let value = key + Int(nodes[key].span)
            if nodes[key].kind == .scalar {
                keys.append(key)
                if nodes[mapping].hasMergeKey, nodes[key].isMergeKey(arena) {
                    try checkMerged(value, nodes, &errors)
                }
            } else {
                try errors.add(Self.nonScalarKey(nodes[key]))
            }
            key = value + Int(nodes[value].span)
        }
        if keys.count <= 8 {
            try comparePairwise(nodes, arena, &errors)
        } else {
            try compareSorted(nodes, arena, &errors)
        }
    }

    private func comparePairwise(
        _ nodes: [StoredNode], _ arena: [UInt8], _ errors: inout ErrorList
    ) throws(YAMLError) {
        guard keys.count > 1 else { return }
        for later in 1..<keys.count {
            for earlier in 0..<later where arena.hasSameText(nodes[keys[earlier]], nodes[keys[later]]) {
                try errors.add(Self.duplicate(nodes[keys[later]], of: nodes[keys[earlier]], arena))
                break
            }
        }
    }

    /// Compares keys after sorting, which makes duplicates adjacent: O(n log n) for a mapping of a million keys.
    private mutating func compareSorted(
        _ nodes: [StoredNode], _ arena: [UInt8], _ errors: inout ErrorList
    ) throws(YAMLError) {
        keys.sort { arena.orderText(nodes[$0], nodes[$1]) ?? ($0 < $1) }
        var first = keys[0]
        for key in keys.dropFirst() {
            if arena.hasSameText(nodes[first], nodes[key]) {
                try errors.add(Self.duplicate(nodes[key], of: nodes[first], arena))
            } else {
                first = key
            }
        }
    }

    private func checkMerged(
        _ value: Int, _ nodes: [StoredNode], _ errors: inout ErrorList
    ) throws(YAMLError) {
        switch nodes[value].kind {
        case .mapping: return
        case .scalar: try errors.add(Self.mergeValue(nodes[value]))
        case .sequence:
            var element = value + 1
            for _ in 0..<nodes[value].count {
                if nodes[element].kind != .mapping { try errors.add(Self.mergeValue(nodes[element])) }
                element += Int(nodes[element].span)
            }
        }
    }

    private static func nonScalarKey(_ key: StoredNode) -> YAMLError {
        YAMLError(
            .nonScalarKey, start: key.start, end: key.end,
            "a key must be a single value, not a \(key.kind == .sequence ? "list" : "mapping")",
            suggestion: key.kind == .mapping
                ? "fill in a template's {{ placeholder }}, and put other braces in quotes" : nil)
    }

    private static func mergeValue(_ node: StoredNode) -> YAMLError {
        YAMLError(
            .mergeValue, start: node.start, end: node.end,
            "'<<' needs a mapping or a list of mappings, not a \(node.kind == .sequence ? "list" : "single value")")
    }

    private static func duplicate(_ key: StoredNode, of first: StoredNode, _ arena: [UInt8]) -> YAMLError {
        let text = String(decoding: arena[key.textRange], as: UTF8.self)
        let shown = text.count > 60 ? text.prefix(59) + "…" : text[...]
        return YAMLError(
            .duplicateKey, start: key.start, end: key.end, "duplicate key '\(shown)'",
            suggestion: key.isMergeKey(arena) ? "merge several mappings with a list: '<<: [*first, *second]'" : nil,
            note: YAMLError.Note(mark: first.start, message: "first used here"))
    }
}

extension [UInt8] {
    /// Whether two nodes are scalars with the same text. `self` is the arena of both.
    func hasSameText(_ left: StoredNode, _ right: StoredNode) -> Bool {
        left.kind == .scalar && right.kind == .scalar && left.count == right.count
            && self[left.textRange].elementsEqual(self[right.textRange])
    }

    /// Whether `left` precedes `right` in an order that makes equal texts adjacent; `nil` if either may come first.
    func orderText(_ left: StoredNode, _ right: StoredNode) -> Bool? {
        guard left.kind == .scalar, right.kind == .scalar else {
            return left.kind == right.kind ? nil : left.kind.rawValue < right.kind.rawValue
        }
        if left.count != right.count { return left.count < right.count }
        for (a, b) in zip(self[left.textRange], self[right.textRange]) where a != b { return a < b }
        return nil
    }
}
