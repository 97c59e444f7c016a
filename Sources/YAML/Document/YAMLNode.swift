/// A scalar, sequence or mapping of a document: a cursor that is cheap to copy and keeps the file's nodes alive.
package struct YAMLNode: Sendable {
    /// The three kinds of YAML node.
    package enum Kind: UInt8, Hashable, Sendable {
        case scalar
        case sequence
        case mapping
    }

    let storage: NodeStorage
    let index: Int

    private var node: StoredNode { storage.nodes[index] }

    /// The kind of the node.
    package var kind: Kind { node.kind }
    /// The position where the node's text begins. An expanded alias has the alias's position; its children, and pairs
    /// from a merge key, keep the position where they are written.
    package var start: Mark { node.start }
    /// The end of the node's text, exclusive. A block collection ends with its last child.
    package var end: Mark { node.end }
    /// Whether this is a scalar without quotes, block style or explicit tag. Without a core tag, only such a scalar can
    /// be a number, a Boolean or null.
    package var isPlain: Bool { node.isPlain }
    /// The explicit tag with its handle resolved: `tag:yaml.org,2002:str` for `!!str`.
    package var tag: String? { node.tag == 0 ? nil : storage.tags[Int(node.tag) - 1] }

    /// The decoded text of a scalar; empty for a collection.
    package var text: String { withText { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the UTF-8 bytes of a scalar's text, without creating a string. The bytes are valid only in the
    /// call.
    package func withText<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        let node = node
        let range = node.kind == .scalar ? node.textRange : 0..<0
        return try storage.arena.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Whether this is a scalar with exactly this text, byte for byte. Intended for comparing keys.
    package func hasText(_ text: StaticString) -> Bool {
        guard node.kind == .scalar else { return false }
        return withText { own in text.withUTF8Buffer { own.elementsEqual($0) } }
    }

    /// The number of elements or pairs in a collection; 0 for a scalar.
    package var count: Int { node.kind == .scalar ? 0 : Int(node.count) }

    /// The elements of a sequence; empty for any other kind.
    package var elements: YAMLElements {
        YAMLElements(storage: storage, position: index + 1, remaining: node.kind == .sequence ? Int(node.count) : 0)
    }

    /// The pairs of a mapping; empty for any other kind. The mapping's own pairs come first, in document order. The
    /// pairs from its merge keys follow, without keys that the mapping or an earlier merged mapping already has.
    ///
    /// A faulty document keeps its pairs as written, including duplicate keys and keys that are not scalars.
    package var pairs: YAMLPairs {
        YAMLPairs(storage: storage, position: index + 1, remaining: node.kind == .mapping ? Int(node.count) : 0)
    }
}

/// The elements of a sequence, in order.
package struct YAMLElements: Sequence, IteratorProtocol, Sendable {
    let storage: NodeStorage
    var position: Int
    var remaining: Int

    /// Returns the next element, or `nil` after the last.
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

    /// Returns the next pair, or `nil` after the last.
    package mutating func next() -> (key: YAMLNode, value: YAMLNode)? {
        guard remaining > 0 else { return nil }
        let key = position
        let value = key + Int(storage.nodes[key].span)
        position = value + Int(storage.nodes[value].span)
        remaining -= 1
        return (YAMLNode(storage: storage, index: key), YAMLNode(storage: storage, index: value))
    }
}
