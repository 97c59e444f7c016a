import YAML

/// The pairs of a mapping whose keys have been checked.
struct MappingFields {
    let node: YAMLNode
    fileprivate var present: [Field] = []
    /// The keys without a value.
    fileprivate var empty: [String] = []

    /// The field with a key; `nil` if the key is absent or has no value.
    subscript(key: String) -> Field? { present.first { $0.key == key } }

    /// Whether the key is there without a value.
    func hasEmpty(_ key: String) -> Bool { empty.contains(key) }

    /// Returns the fields of `other`, and those of this mapping that `other` does not name.
    func overlaid(by other: MappingFields) -> MappingFields {
        var fields = other
        let named = Set(other.present.map(\.key) + other.empty)
        fields.present += present.filter { !named.contains($0.key) }
        return fields
    }
}

/// A key and its value.
struct Field {
    let key: String
    let value: YAMLNode
}

extension ManifestDecoder {
    /// Checks the keys of a mapping, and reports unknown and missing ones.
    ///
    /// - Parameter subject: the name of the mapping in messages, such as `a flow`.
    mutating func fields(
        of node: YAMLNode, _ subject: String, required: [String], optional: [String] = []
    ) -> MappingFields? {
        guard node.kind == .mapping else {
            add(.wrongType, at: node, "\(subject) must be a mapping, not \(described(node))")
            return nil
        }
        var fields = MappingFields(node: node)
        let known = required + optional
        for (keyNode, value) in node.pairs where keyNode.kind == .scalar {
            let key = keyNode.text
            if !known.contains(key) {
                addUnknown(keyNode, subject: subject, known: known)
            } else if !value.isNull {
                fields.present.append(Field(key: key, value: value))
            } else {
                fields.empty.append(key)
                if required.contains(key) {
                    add(
                        .missingKey, at: keyNode, "'\(key)' of \(subject) is empty",
                        suggestion: key == "flows" ? "list the flows, or write flows: []" : nil)
                }
            }
        }
        for key in required where fields[key] == nil && !fields.empty.contains(key) {
            add(.missingKey, at: node, "missing key '\(key)' in \(subject)")
        }
        return fields
    }

    private mutating func addUnknown(_ key: YAMLNode, subject: String, known: [String]) {
        let suggestion =
            nearest(to: key.text, among: known).map { "did you mean '\($0)'?" }
            ?? "known keys: \(known.map { "'\($0)'" }.joined(separator: ", "))"
        add(.unknownKey, at: key, "unknown key \(quoted(key.text)) in \(subject)", suggestion: suggestion)
    }

    /// Decodes a list; returns `nil` if there is no such field, or if it is not a list.
    mutating func list(_ field: Field?) -> YAMLElements? {
        guard let field else { return nil }
        guard field.value.kind == .sequence else {
            add(.wrongType, at: field.value, "'\(field.key)' must be a list, not \(described(field.value))")
            return nil
        }
        return field.value.elements
    }

    /// Decodes a text of at most 1000 bytes that is not blank and has no control characters except line breaks and
    /// tabs.
    mutating func text(_ field: Field?) -> String? {
        guard let field, let text = string(field) else { return nil }
        let isClean = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t"
        }
        if text.allSatisfy(\.isWhitespace) {
            add(.badText, at: field.value, "'\(field.key)' must not be empty")
        } else if text.utf8.count > 1000 {
            add(.badText, at: field.value, "'\(field.key)' is longer than 1000 bytes")
        } else if !isClean {
            add(.badText, at: field.value, "'\(field.key)' contains a control character")
        } else if field.value.hasPlaceholder {
            add(.placeholder, at: field.value, "a placeholder")
        } else {
            return text
        }
        return nil
    }

    private mutating func string(_ field: Field) -> String? {
        let node = field.value
        guard node.kind == .scalar else {
            add(.wrongType, at: node, "'\(field.key)' must be text, not \(described(node))")
            return nil
        }
        if let tag = node.tag, !tag.hasPrefix("tag:yaml.org,2002:") {
            add(
                .wrongType, at: node, "unexpected tag \(quoted(tag))",
                suggestion: "remove the tag and write the value itself")
            return nil
        }
        guard node.schemaType == .string else {
            add(
                .wrongType, at: node, "'\(field.key)' must be text, not \(described(node))",
                suggestion: "put it in quotes: \"\(node.text)\"")
            return nil
        }
        return node.text
    }

    /// Decodes a name: at most 100 letters, digits, `.`, `_` and `-`.
    mutating func name(_ field: Field?) -> String? {
        guard let field, let name = text(field) else { return nil }
        let isName = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || "0123456789._-".utf8.contains(byte)
        }
        guard isName, name.utf8.count <= 100 else {
            add(
                .badText, at: field.value, "\(quoted(name)) is not a valid name",
                suggestion: "use only letters, digits, '.', '_' and '-', at most 100 of them")
            return nil
        }
        return name
    }

    /// Decodes one of the words of an enumeration.
    mutating func choice<Word>(_ field: Field?, of type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        guard let field, let text = text(field) else { return nil }
        if let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue)
        let suggestion =
            nearest(to: text, among: words).map { "did you mean '\($0)'?" }
            ?? "allowed: \(words.joined(separator: ", "))"
        add(.unknownWord, at: field.value, "invalid value \(quoted(text)) for '\(field.key)'", suggestion: suggestion)
        return nil
    }

    /// Decodes an integer within a range.
    mutating func integer(_ field: Field?, in range: ClosedRange<Int>) -> Int? {
        guard let field else { return nil }
        guard field.value.schemaType == .int, field.value.kind == .scalar else {
            let isQuoted = field.value.kind == .scalar && !field.value.isPlain && Int(field.value.text) != nil
            add(
                .wrongType, at: field.value, "'\(field.key)' must be a whole number, not \(described(field.value))",
                suggestion: isQuoted ? "remove the quotes" : nil)
            return nil
        }
        guard let number = field.value.int64.flatMap({ Int(exactly: $0) }), range.contains(number) else {
            addOutOfRange(field, allowed: "\(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// Decodes a number within a range.
    mutating func number(_ field: Field?, in range: ClosedRange<Int>) -> Double? {
        guard let field else { return nil }
        guard [.int, .float].contains(field.value.schemaType) else {
            add(.wrongType, at: field.value, "'\(field.key)' must be a number, not \(described(field.value))")
            return nil
        }
        guard let number = field.value.double, number >= Double(range.lowerBound), number <= Double(range.upperBound)
        else {
            addOutOfRange(field, allowed: "\(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    private mutating func addOutOfRange(_ field: Field, allowed range: String) {
        add(.numberOutOfRange, at: field.value, "'\(field.key)' must be from \(range), not \(quoted(field.value.text))")
    }

    /// Describes a value for messages.
    func described(_ node: YAMLNode) -> String {
        switch (node.kind, node.schemaType) {
        case (.sequence, _): "a list"
        case (.mapping, _): "a mapping"
        case (.scalar, .null): "nothing"
        case (.scalar, .bool): "the boolean \(node.text)"
        case (.scalar, .int), (.scalar, .float): "the number \(quoted(node.text))"
        case (.scalar, .string): "the text \(quoted(node.text))"
        }
    }
}
