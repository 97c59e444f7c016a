import YAML

func read(_ text: String, limits: ReadingLimits = ReadingLimits()) -> YAMLStream {
    YAMLReader(limits: limits).read(Array(text.utf8))
}

/// Returns the root of a single valid document; `nil` for other texts.
func soundRoot(_ text: String) -> YAMLNode? {
    let stream = read(text)
    guard stream.errors.isEmpty, stream.documents.count == 1 else { return nil }
    return stream.documents[0].root
}

extension YAMLNode {
    subscript(key: String) -> YAMLNode? { pairs.first { $0.key.text == key }?.value }
    subscript(index: Int) -> YAMLNode? { elements.dropFirst(index).first { _ in true } }

    /// The node in flow style, with scalars between bars: `{|a|: [|1|, |2|]}`.
    var shape: String {
        switch kind {
        case .scalar: "|\(text)|"
        case .sequence: "[\(elements.map(\.shape).joined(separator: ", "))]"
        case .mapping: "{\(pairs.map { "\($0.key.shape): \($0.value.shape)" }.joined(separator: ", "))}"
        }
    }

    /// The start and end, such as `1:1-1:6`.
    var span: String { "\(start.line):\(start.column)-\(end.line):\(end.column)" }
}

extension YAMLError {
    /// The error as shown to users, without the file name.
    var rendered: String {
        var lines = ["\(start.line):\(start.column): \(kind): \(message)"]
        if let end { lines[0] = "\(start.line):\(start.column)-\(end.line):\(end.column): \(kind): \(message)" }
        if let suggestion { lines.append("  suggestion: \(suggestion)") }
        if let note { lines.append("  \(note.mark.line):\(note.mark.column): \(note.message)") }
        return lines.joined(separator: "\n")
    }
}
