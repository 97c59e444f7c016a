import FlowRuns
import Text
import YAML

/// A document as JSON, to validate with a JSON Schema and to mutate.
indirect enum Tree {
    case object([(key: String, value: Tree)])
    case array([Tree])
    /// A scalar as JSON text.
    case scalar(String)

    init(_ node: YAMLNode) {
        switch node.kind {
        case .mapping: self = .object(node.pairs.map { ($0.key.text, Tree($0.value)) })
        case .sequence: self = .array(node.elements.map(Tree.init))
        case .scalar:
            switch node.schemaType {
            case .null: self = .scalar("null")
            case .bool: self = .scalar(node.bool == true ? "true" : "false")
            case .int where node.int64 != nil: self = .scalar(String(node.int64 ?? 0))
            case .float where node.double?.isFinite == true: self = .scalar(String(node.double ?? 0))
            default: self = .text(node.text)
            }
        }
    }

    static func text(_ text: String) -> Tree {
        var json = JSONText()
        json.object { $0.member("", text) }
        return .scalar(String(json.text.dropFirst(4).dropLast()))
    }

    /// The document as JSON, which is also valid YAML.
    var json: String {
        switch self {
        case .object(let members):
            "{" + members.map { "\(Tree.text($0.key).json): \($0.value.json)" }.joined(separator: ", ") + "}"
        case .array(let elements): "[" + elements.map(\.json).joined(separator: ", ") + "]"
        case .scalar(let json): json
        }
    }

    /// All trees that differ from this one in a single place: a member or element removed, a value replaced, or a
    /// member added.
    var mutants: [Tree] {
        let others = ["null", "true", "0", "-1", "1.5", "1651584991000", #""""#, #""x""#, #"" ""#, "[]", "{}", "[0]"]
        var mutants = others.filter { $0 != json }.map(Tree.scalar)
        switch self {
        case .object(let members):
            mutants.append(.object(members + [("unheardOf", .scalar("1"))]))
            for (index, member) in members.enumerated() {
                var fewer = members
                fewer.remove(at: index)
                mutants.append(.object(fewer))
                for mutant in member.value.mutants {
                    var changed = members
                    changed[index].value = mutant
                    mutants.append(.object(changed))
                }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                var fewer = elements
                fewer.remove(at: index)
                mutants.append(.array(fewer))
                for mutant in element.mutants {
                    var changed = elements
                    changed[index] = mutant
                    mutants.append(.array(changed))
                }
            }
        case .scalar: break
        }
        return mutants
    }
}
