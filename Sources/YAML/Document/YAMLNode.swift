/// A scalar, sequence or mapping of a document: a cursor into the file's nodes, cheap to copy, which keeps them alive.
package struct YAMLNode: Sendable {
    /// The three kinds of node that YAML has.
    package enum Kind: UInt8, Hashable, Sendable {
        case scalar
        case sequence
        case mapping
    }

    let storage: NodeStorage
    let index: Int

    private var node: StoredNode { storage.nodes[index] }

    /// What it is.
    package var kind: Kind { node.kind }
    /// Where the node's text begins. A node that an alias stands for has the alias's place; what it holds, and what a
    /// merge key brings, keeps the place where it is written.
    package var start: Mark { node.start }
    /// Exclusive. A block collection ends with the last node it holds.
    package var end: Mark { node.end }
    /// Whether this is a scalar that is neither quoted nor in block style and has no explicit tag: only such a one may
    /// be a number, a truth value or null.
    package var isPlain: Bool { node.isPlain }
    /// The explicit tag, its handle resolved: `tag:yaml.org,2002:str` for `!!str`.
    package var tag: String? { node.tag == 0 ? nil : storage.tags[Int(node.tag) - 1] }

    /// A scalar's text, decoded; empty for a collection.
    package var text: String { withText { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the UTF-8 bytes of a scalar's text, without making a string; they are valid only in the call.
    package func withText<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        let node = node
        let range = node.kind == .scalar ? node.textRange : 0..<0
        return try storage.arena.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Whether this is a scalar with this text, byte for byte; made for comparing keys.
    package func hasText(_ text: StaticString) -> Bool {
        guard node.kind == .scalar else { return false }
        return withText { own in text.withUTF8Buffer { own.elementsEqual($0) } }
    }

    /// How many elements or pairs a collection has; 0 for a scalar.
    package var count: Int { node.kind == .scalar ? 0 : Int(node.count) }

    /// A sequence's elements; empty for anything else.
    package var elements: YAMLElements {
        YAMLElements(storage: storage, position: index + 1, remaining: node.kind == .sequence ? Int(node.count) : 0)
    }

    /// A mapping's pairs, empty for anything else: its own in the order of the text, then those that its merge keys
    /// bring, without the ones that it or an earlier merged mapping has.
    ///
    /// The pairs of a faulty document are as written: both of two equal keys, and keys that are no scalars.
    package var pairs: YAMLPairs {
        YAMLPairs(storage: storage, position: index + 1, remaining: node.kind == .mapping ? Int(node.count) : 0)
    }
}

/// The elements of a sequence, in order.
package struct YAMLElements: Sequence, IteratorProtocol, Sendable {
    let storage: NodeStorage
    var position: Int
    var remaining: Int

    /// The next one, `nil` after the last.
    package mutating func next() -> YAMLNode? {
        guard remaining > 0 else { return nil }
        defer {
            position += Int(storage.nodes[position].span)
            remaining -= 1
        }
        return YAMLNode(storage: storage, index: position)
    }
}

/// The pairs of a mapping, in order.
package struct YAMLPairs: Sequence, IteratorProtocol, Sendable {
    let storage: NodeStorage
    var position: Int
    var remaining: Int

    /// The next one, `nil` after the last.
    package mutating func next() -> (key: YAMLNode, value: YAMLNode)? {
        guard remaining > 0 else { return nil }
        let key = position
        let value = key + Int(storage.nodes[key].span)
        position = value + Int(storage.nodes[value].span)
        remaining -= 1
        return (YAMLNode(storage: storage, index: key), YAMLNode(storage: storage, index: value))
    }
}
