import YAML

func read(_ text: String, limits: ReadingLimits = ReadingLimits()) -> YAMLStream {
    YAMLReader(limits: limits).read(Array(text.utf8))
}

/// The only document's root, of a text without errors.
func soundRoot(_ text: String) -> YAMLNode? {
    let stream = read(text)
    guard stream.errors.isEmpty, stream.documents.count == 1 else { return nil }
    return stream.documents[0].root
}

extension YAMLNode {
    subscript(key: String) -> YAMLNode? { pairs.first { $0.key.text == key }?.value }
    subscript(index: Int) -> YAMLNode? { elements.dropFirst(index).first { _ in true } }

    /// Flow style, each scalar in bars: `{|a|: [|1|, |2|]}`.
    var shape: String {
        switch kind {
        case .scalar: "|\(text)|"
        case .sequence: "[\(elements.map(\.shape).joined(separator: ", "))]"
        case .mapping: "{\(pairs.map { "\($0.key.shape): \($0.value.shape)" }.joined(separator: ", "))}"
        }
    }

    /// `1:1-1:6`
    var span: String { "\(start.line):\(start.column)-\(end.line):\(end.column)" }
}

extension YAMLError {
    /// As a person would see it, without the file's name.
    var rendered: String {
        var lines = ["\(start.line):\(start.column): \(kind): \(message)"]
        if let end { lines[0] = "\(start.line):\(start.column)-\(end.line):\(end.column): \(kind): \(message)" }
        if let suggestion { lines.append("  suggestion: \(suggestion)") }
        if let note { lines.append("  \(note.mark.line):\(note.mark.column): \(note.message)") }
        return lines.joined(separator: "\n")
    }
}
