import YAML

/// Whether a text contains an unfilled template variable: `${ORG}`, `$(ORG)`, `{{ org }}`, `<%= org %>`. Sent
/// unchanged, the variable would name an organisation or flow that does not exist.
package func hasPlaceholder(_ text: String) -> Bool {
    [("${", "}"), ("$(", ")"), ("{{", "}}"), ("<%", "%>")].contains { opening, closing in
        text.firstRange(of: opening).map { text[$0.upperBound...].contains(closing) } ?? false
    }
}

extension YAMLNode {
    var hasPlaceholder: Bool { kind == .scalar && Manifests.hasPlaceholder(text) }

    /// Whether this is an unquoted `{{ org }}`, which YAML parses as a mapping whose key is a mapping.
    var isUnquotedPlaceholder: Bool {
        kind == .mapping && count == 1 && pairs.contains { $0.key.kind == .mapping && $0.value.isNull }
    }
}

extension Diagnostic {
    static let placeholderAdvice =
        "Sluice fills in no variables: write the value. Each sandbox has a Target of its own, and what of a flow differs "
        + "between them stands under its 'targets'"
}
