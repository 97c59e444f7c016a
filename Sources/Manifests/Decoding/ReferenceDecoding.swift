import FlowRuns
import YAML

extension ManifestDecoder {
    /// Decodes `after`: a flow or a list of flows, by name or ID.
    mutating func predecessors(_ field: Field?) -> [FlowReference] {
        elements(field).compactMap { node in
            text(Field(key: "after", value: node)).map { FlowReference(text: $0, place: place(of: node)) }
        }
    }

    /// Returns the elements of a list. A single value counts as a list of one.
    private func elements(_ field: Field?) -> [YAMLNode] {
        guard let field else { return [] }
        return field.value.kind == .sequence ? Array(field.value.elements) : [field.value]
    }

    /// Decodes `replaces`: a flow or a list of flows.
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
