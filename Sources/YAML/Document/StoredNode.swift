/// A node as it is kept: a small value in one array, in the order of the text, each collection directly before what
/// it holds. It points at nothing but bytes of the arena and at tags, so a subtree is copied by copying its nodes.
struct StoredNode {
    /// From the lowest bit on: two of the kind, ``isPlain``, ``holdsMerge``, ``tag``.
    private var bits: UInt32
    /// Of a scalar its ``text``, of a collection its ``span``.
    private var place: UInt32
    /// A scalar's bytes, a sequence's elements, a mapping's pairs.
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

    /// A scalar without quotes, block indicator or explicit tag.
    var isPlain: Bool {
        get { bits & 4 != 0 }
        set { bits = newValue ? bits | 4 : bits & ~4 }
    }

    /// Whether a merge key stands in this mapping or anywhere below this node.
    var holdsMerge: Bool {
        get { bits & 8 != 0 }
        set { bits = newValue ? bits | 8 : bits & ~8 }
    }

    /// 0, or 1 + the place of the explicit tag in the table of tags. A file's bytes are too few for more tags than fit.
    var tag: UInt32 {
        get { bits >> 4 }
        set { bits = bits & 15 | newValue << 4 }
    }

    /// A scalar's first byte in the arena.
    var text: UInt32 {
        get { kind == .scalar ? place : 0 }
        set { if kind == .scalar { place = newValue } }
    }

    /// How many nodes the subtree has, this one included.
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

/// All nodes of a file. Built once and never changed, so that cursors in any task may share it.
final class NodeStorage: Sendable {
    let nodes: [StoredNode]
    /// The decoded text of all scalars, end to end.
    let arena: [UInt8]
    let tags: [String]

    init(nodes: [StoredNode], arena: [UInt8], tags: [String]) {
        self.nodes = nodes
        self.arena = arena
        self.tags = tags
    }
}
