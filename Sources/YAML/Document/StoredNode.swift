/// A node as it is kept: a small value in one array, in the order of the text, each collection directly before what
/// it holds. It points at nothing but bytes of the arena and at tags, so a subtree is copied by copying its nodes.
struct StoredNode {
    var kind: YAMLNode.Kind
    /// A scalar without quotes, block indicator or explicit tag.
    var isPlain = false
    /// Whether a merge key stands in this mapping or anywhere below this node.
    var holdsMerge = false
    /// 0, or 1 + the place of the explicit tag in the table of tags.
    var tag: UInt32 = 0
    /// A scalar's first byte in the arena.
    var text: UInt32 = 0
    /// A scalar's bytes, a sequence's elements, a mapping's pairs.
    var count: UInt32 = 0
    /// How many nodes the subtree has, this one included.
    var span: UInt32 = 1
    var startLine: UInt32
    var startColumn: UInt32
    var endLine: UInt32
    var endColumn: UInt32

    init(_ kind: YAMLNode.Kind, start: Mark, end: Mark) {
        self.kind = kind
        startLine = UInt32(clamping: start.line)
        startColumn = UInt32(clamping: start.column)
        endLine = UInt32(clamping: end.line)
        endColumn = UInt32(clamping: end.column)
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
