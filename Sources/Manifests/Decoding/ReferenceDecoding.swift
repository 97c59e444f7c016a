import FlowRuns
import YAML

extension ManifestDecoder {
    /// `after: FLOW`, or a list of them: names or ids.
    mutating func predecessors(_ field: Field?) -> [FlowReference] {
        elements(field).compactMap { node in
            text(Field(key: "after", value: node)).map { FlowReference(text: $0, place: place(of: node)) }
        }
    }

    /// Of a list, or the one value that stands for a list of it.
    private func elements(_ field: Field?) -> [YAMLNode] {
        guard let field else { return [] }
        return field.value.kind == .sequence ? Array(field.value.elements) : [field.value]
    }

    /// `replaces: FLOW`, or a list of them.
    mutating func replacements(_ field: Field?) -> [Replacement] {
        var replacements: [Replacement] = []
        for node in elements(field) {
            guard let flow = flowID(Field(key: "replaces", value: node)) else { continue }
            if let first = replacements.first(where: { $0.flow == flow }) {
                add(
                    .replacedTwice, at: node, "the replaced flow \(flow) is named twice", suggestion: "remove one",
                    notes: [.init(place: first.place, message: "first named here")])
            } else {
                replacements.append(Replacement(flow: flow, place: place(of: node)))
            }
        }
        return replacements
    }
}
