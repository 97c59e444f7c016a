import YAML

extension FuzzTarget {
    /// Parses YAML: all places must be in the file, and documents without errors must be read back unchanged from
    /// another style.
    static let yaml = FuzzTarget(name: "YAML") { bytes in
        var limits = ReadingLimits()
        limits.aliasNodes = 2_000
        let reader = YAMLReader(limits: limits)
        let stream = reader.read(bytes)
        let places = FilePlaces(bytes)
        func expectPlace(_ mark: Mark, of subject: String) throws {
            guard let places, (mark.line, mark.column) != places.startOfNextLine else { return }
            try expect(
                places.contains(line: mark.line, column: mark.column),
                "\(subject) is at \(mark.line):\(mark.column), outside of the file")
        }
        for error in stream.errors {
            try expectPlace(error.start, of: error.message)
            if let end = error.end {
                try expectPlace(end, of: "the end of: \(error.message)")
                try expect(error.start <= end, "it ends before it starts: \(error.message)")
            }
            if let note = error.note { try expectPlace(note.mark, of: note.message) }
        }
        try expect(stream.errors.map(\.start) == stream.errors.map(\.start).sorted(), "errors are not by place")
        for document in stream.documents {
            try expectPlace(document.start, of: "a document")
            guard let root = document.root else { continue }
            try check(root, depth: 1, limits, expectPlace)
            guard stream.errors.isEmpty else { continue }
            let text = root.inFlowStyle
            let again = reader.read(Array(text.utf8))
            try expect(again.errors.isEmpty, "written as \(text), it has errors: \(again.errors)")
            try expect(again.documents.first?.root?.inFlowStyle == text, "written as \(text), it reads otherwise")
        }
    }

    private static func check(
        _ node: YAMLNode, depth: Int, _ limits: ReadingLimits, _ expectPlace: (Mark, String) throws -> Void
    ) throws {
        try expectPlace(node.start, "a node")
        try expectPlace(node.end, "a node's end")
        try expect(node.start <= node.end, "a node ends before it starts, at \(node.start)")
        try expect(depth <= limits.depth + 1, "nodes are nested \(depth) deep")
        try expect(node.withText { String(validating: $0, as: UTF8.self) != nil }, "a text is not UTF-8")
        _ = (node.int64, node.isNull)
        var count = 0
        for element in node.elements {
            try check(element, depth: depth + 1, limits, expectPlace)
            count += 1
        }
        for (key, value) in node.pairs {
            try check(key, depth: depth + 1, limits, expectPlace)
            try check(value, depth: depth + 1, limits, expectPlace)
            count += 1
        }
        try expect(count == node.count, "a collection of \(node.count) has \(count)")
    }
}

extension YAMLNode {
    /// The node in flow style, with scalars in double quotes.
    fileprivate var inFlowStyle: String {
        switch kind {
        case .scalar:
            let escaped = text.unicodeScalars.map { scalar in
                switch scalar {
                case "\"", "\\": "\\\(scalar)"
                case " "..."~": String(scalar)
                default: "\\U" + String(String(UInt64(scalar.value) + 0x1_0000_0000, radix: 16).dropFirst())
                }
            }
            return "\"\(escaped.joined())\""
        case .sequence: return "[\(elements.map(\.inFlowStyle).joined(separator: ", "))]"
        case .mapping:
            return "{\(pairs.map { "? \($0.key.inFlowStyle) : \($0.value.inFlowStyle)" }.joined(separator: ", "))}"
        }
    }
}
