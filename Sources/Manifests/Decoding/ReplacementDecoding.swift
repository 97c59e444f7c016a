import FlowRuns
import YAML

extension ManifestDecoder {
    /// `replaces: FLOW`, or a list of them.
    mutating func replacements(_ field: Field?) -> [Replacement] {
        guard let field else { return [] }
        let nodes = field.value.kind == .sequence ? Array(field.value.elements) : [field.value]
        var replacements: [Replacement] = []
        for node in nodes {
            guard let flow = flowID(Field(key: field.key, value: node)) else { continue }
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
