/// A node in storage: a small value in one array in document order, where each collection precedes its children. A node
/// refers only to arena bytes and tags, so copying the nodes of a subtree copies the subtree.
struct StoredNode {
    /// Packed fields, from the lowest bit: two bits for the kind, then ``isPlain``, ``hasMergeKey`` and ``tag``.
    private var bits: UInt32
    /// The ``text`` of a scalar, or the ``span`` of a collection.
    private var place: UInt32
    /// The number of a scalar's bytes, a sequence's elements or a mapping's pairs.
    var count: UInt32 = 0
    var startLine: UInt32
    var startColumn: UInt32
    var endLine: UInt32
    var endColumn: UInt32

    init(_ kind: YAMLNode.Kind, start: Mark, end: Mark) {
        bits = UInt32(kind.rawValue)
        place = kind == .scalar ? 0 : 1
        startLine = UInt32(clamping: start.line)
        startColumn = UInt32(clamping: start.column)
        endLine = UInt32(clamping: end.line)
        endColumn = UInt32(clamping: end.column)
    }

    var kind: YAMLNode.Kind { YAMLNode.Kind(rawValue: UInt8(truncatingIfNeeded: bits & 3)) ?? .scalar }

    /// Whether this is a scalar without quotes, block indicator or explicit tag.
    var isPlain: Bool {
        get { bits & 4 != 0 }
        set { bits = newValue ? bits | 4 : bits & ~4 }
    }

    /// Whether this mapping, or any node below this one, has a merge key.
    var hasMergeKey: Bool {
        get { bits & 8 != 0 }
        set { bits = newValue ? bits | 8 : bits & ~8 }
    }

    /// 0, or 1 + the index of the explicit tag in the table of tags. The limit on a file's size keeps the index within
    /// 28 bits.
    var tag: UInt32 {
        get { bits >> 4 }
        set { bits = bits & 15 | newValue << 4 }
    }

    /// The offset of a scalar's first byte in the arena.
    var text: UInt32 {
        get { kind == .scalar ? place : 0 }
        set { if kind == .scalar { place = newValue } }
    }

    /// The number of nodes in the subtree, including this one.
    var span: UInt32 {
        get { kind == .scalar ? 1 : place }
        set { if kind != .scalar { place = newValue } }
    }

    var start: Mark {
        get { Mark(line: Int(startLine), column: Int(startColumn)) }
        set { (startLine, startColumn) = (UInt32(clamping: newValue.line), UInt32(clamping: newValue.column)) }
    }

    var end: Mark {
        get { Mark(line: Int(endLine), column: Int(endColumn)) }
        set { (endLine, endColumn) = (UInt32(clamping: newValue.line), UInt32(clamping: newValue.column)) }
    }

    var textRange: Range<Int> { Int(text)..<Int(text) + Int(count) }
}

/// All nodes of a file. Immutable, so that cursors in any task can share the storage.
final class NodeStorage: Sendable {
    let nodes: [StoredNode]
    /// The decoded text of all scalars, concatenated.
    let arena: [UInt8]
    let tags: [String]

    init(nodes: [StoredNode], arena: [UInt8], tags: [String]) {
        self.nodes = nodes
        self.arena = arena
        self.tags = tags
    }
}
