/// A composer that turns a file's events into flat documents, expands aliases, checks keys and enforces limits.
struct DocumentComposer {
    /// The node that an anchor names. An alias can refer to the node only once it is complete.
    private struct Anchored {
        let node: Int
        var isComplete: Bool
        /// The number of nested collection levels, including the node's own.
        var height = 0
    }

    /// A collection whose end has not been read yet.
    private struct OpenCollection {
        let node: Int
        let isFlow: Bool
        let anchor: String?
        /// The number of elements, or of keys plus values.
        var children = 0
        /// The height of the deepest child.
        var height = 0
        var lastEnd: Mark
    }

    private let limits: ReadingLimits
    var errors = ErrorList()
    private var nodes: [StoredNode] = []
    private var arena: [UInt8] = []
    private var tags: [String] = []
    private var tagNumbers: [String: UInt32] = [:]
    private var documents: [(root: Int?, start: Mark)] = []
    private var open: [OpenCollection] = []
    private var anchors: [String: Anchored] = [:]
    private var nodesFromAliases = 0
    private var keyCheck = KeyCheck()
    private var documentStart = (node: 0, mark: Mark(line: 1, column: 1))

    /// - Parameter size: the size of the file in bytes, used to estimate the storage.
    init(limits: ReadingLimits, size: Int) {
        self.limits = limits
        // Reserved but untouched memory costs nothing. A line with one window has five nodes in 47 bytes.
        nodes.reserveCapacity(size / 8)
        arena.reserveCapacity(size)
    }

    /// Returns the completed documents and the errors.
    consuming func finish() -> YAMLStream {
        let storage = NodeStorage(nodes: nodes, arena: arena, tags: tags)
        return YAMLStream(
            documents: documents.map { document in
                YAMLDocument(
                    root: document.root.map { YAMLNode(storage: storage, index: $0) }, start: document.start)
            },
            errors: errors.sorted)
    }

    /// Consumes one event. Throws the error that ends the reading; other errors are collected in `errors`.
    mutating func consume(_ event: EventStream.Event) throws(YAMLError) {
        switch event.content {
        case .scalar(let text, let isPlain, let tag, let anchor):
            var node = StoredNode(.scalar, start: event.start, end: event.end)
            node.isPlain = isPlain
            node.tag = number(ofTag: tag)
            node.text = UInt32(arena.count)
            node.count = UInt32(text.count)
            arena.append(contentsOf: text)
            if let anchor { anchors[String(cString: anchor)] = Anchored(node: nodes.count, isComplete: true) }
            nodes.append(node)
            markMergeKey(node)
            childEnded(at: event.end, height: 0)
        case .collectionStart(let kind, let isFlow, let tag, let anchor):
            try begin(kind, isFlow: isFlow, tag: tag, anchor: anchor.map { String(cString: $0) }, event)
        case .collectionEnd:
            try endCollection(at: event.end)
        case .alias(let name):
            try expand(String(cString: name), event)
        case .documentStart:
            documentStart = (nodes.count, event.start)
        case .documentEnd:
            endDocument()
        }
    }

    private mutating func begin(
        _ kind: YAMLNode.Kind, isFlow: Bool, tag: EventStream.CText?, anchor: String?, _ event: EventStream.Event
    ) throws(YAMLError) {
        try checkDepth(open.count + 1, event)
        if let anchor { anchors[anchor] = Anchored(node: nodes.count, isComplete: false) }
        open.append(OpenCollection(node: nodes.count, isFlow: isFlow, anchor: anchor, lastEnd: event.end))
        var node = StoredNode(kind, start: event.start, end: event.end)
        node.tag = number(ofTag: tag)
        nodes.append(node)
    }

    private mutating func endCollection(at mark: Mark) throws(YAMLError) {
        guard let ended = open.popLast() else { return }
        let index = ended.node
        let isMapping = nodes[index].kind == .mapping
        // libyaml ends a block collection at the next token, which can be lines further down.
        let end = ended.isFlow ? mark : ended.lastEnd
        nodes[index].end = end
        nodes[index].count = UInt32(isMapping ? ended.children / 2 : ended.children)
        nodes[index].span = UInt32(nodes.count - index)
        if isMapping { try keyCheck.check(index, nodes, arena, &errors) }
        if let anchor = ended.anchor, anchors[anchor]?.node == index {
            anchors[anchor] = Anchored(node: index, isComplete: true, height: ended.height + 1)
        }
        if nodes[index].hasMergeKey, let parent = open.last { nodes[parent.node].hasMergeKey = true }
        childEnded(at: end, height: ended.height + 1)
    }

    private mutating func childEnded(at end: Mark, height: Int) {
        guard let last = open.indices.last else { return }
        open[last].children += 1
        open[last].lastEnd = end
        open[last].height = max(open[last].height, height)
    }

    /// Copies the anchored node to the position of the alias.
    private mutating func expand(_ name: String, _ event: EventStream.Event) throws(YAMLError) {
        guard let anchored = anchors[name], anchored.isComplete else {
            try errors.add(error(ofAlias: name, event))
            nodes.append(.placeholder(start: event.start, end: event.end))
            return childEnded(at: event.end, height: 0)
        }
        try checkDepth(open.count + anchored.height, event)
        let span = Int(nodes[anchored.node].span)
        nodesFromAliases += span
        guard nodesFromAliases <= limits.aliasNodes else {
            throw YAMLError(
                .aliasNodes, start: event.start, end: event.end,
                "the aliases of the file expand to more than \(limits.aliasNodes) values",
                suggestion: "write the values out, or split the file")
        }
        let copy = nodes.count
        for source in anchored.node..<anchored.node + span { nodes.append(nodes[source]) }
        nodes[copy].start = event.start
        nodes[copy].end = event.end
        if nodes[copy].hasMergeKey, let parent = open.last { nodes[parent.node].hasMergeKey = true }
        markMergeKey(nodes[copy])
        childEnded(at: event.end, height: anchored.height)
    }

    private func error(ofAlias name: String, _ event: EventStream.Event) -> YAMLError {
        if let anchored = anchors[name] {
            return YAMLError(
                .recursiveAlias, start: event.start, end: event.end,
                "the alias '*\(name)' is inside the value that it names",
                note: YAMLError.Note(mark: nodes[anchored.node].start, message: "the value starts here"))
        }
        return YAMLError(
            .undefinedAlias, start: event.start, end: event.end,
            "the anchor '&\(name)' is not defined before this alias",
            suggestion: "define '&\(name)' earlier in the same document, or put the text in quotes")
    }

    private func checkDepth(_ depth: Int, _ event: EventStream.Event) throws(YAMLError) {
        guard depth > limits.depth else { return }
        throw YAMLError(
            .depth, start: event.start, end: event.end, "values are nested more than \(limits.depth) levels deep",
            suggestion: "check for a bracket that is not closed")
    }

    /// Marks the mapping when its merge key is read, so that mappings without one need no second pass.
    private mutating func markMergeKey(_ node: StoredNode) {
        guard node.isMergeKey(arena), let parent = open.last, nodes[parent.node].kind == .mapping,
            parent.children.isMultiple(of: 2)
        else { return }
        nodes[parent.node].hasMergeKey = true
    }

    private mutating func endDocument() {
        let first = documentStart.node
        if first < nodes.count, nodes[first].hasMergeKey {
            let written = Array(nodes[first...])
            nodes.removeSubrange(first...)
            var merging = MergeKeys(written: written, arena: arena, result: nodes)
            nodes = []
            merging.append(0)
            nodes = merging.result
        }
        let isEmpty = first == nodes.count || (nodes[first].isPlain && nodes[first].count == 0 && anchors.isEmpty)
        documents.append((isEmpty ? nil : first, documentStart.mark))
        anchors.removeAll(keepingCapacity: true)
    }

    private mutating func number(ofTag tag: EventStream.CText?) -> UInt32 {
        guard let tag else { return 0 }
        let text = String(cString: tag)
        if let number = tagNumbers[text] { return number }
        tags.append(text)
        tagNumbers[text] = UInt32(tags.count)
        return UInt32(tags.count)
    }
}

extension StoredNode {
    /// A null in place of an undefined alias, so that the rest of the document keeps its shape.
    fileprivate static func placeholder(start: Mark, end: Mark) -> StoredNode {
        var node = StoredNode(.scalar, start: start, end: end)
        node.isPlain = true
        return node
    }

    /// Whether this is a plain `<<`.
    func isMergeKey(_ arena: [UInt8]) -> Bool {
        isPlain && count == 2 && arena[Int(text)] == UInt8(ascii: "<") && arena[Int(text) + 1] == UInt8(ascii: "<")
    }
}
