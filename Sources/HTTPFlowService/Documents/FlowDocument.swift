import FlowRuns
import FlowService

/// A flow decoded from an answer to `GET /flows`.
struct FlowDocument {
    let document: JSONDocument

    /// The decoded flow; `nil` if the document has no `id` that is a UUID.
    var flow: ServiceFlow? {
        guard let flow = document["id"].text.flatMap({ FlowID($0) }) else { return nil }
        return ServiceFlow(
            id: flow, name: name, state: document["state"].text,
            specification: document["flowSpec"]["id"].text, frequency: document["scheduleParams"]["frequency"].text,
            deltaColumn: deltaColumn, lastRun: document["lastRunDetails"]["id"].text.flatMap { RunID($0) })
    }

    /// Whether the document contains every field that ``flow`` uses. Listings may omit some of them.
    var isWhole: Bool {
        document["state"].text != nil && document["flowSpec"]["id"].text != nil
            && document["scheduleParams"].members != nil && document["transformations"].elements != nil
    }

    private var name: String? {
        let name = document["name"].text
        return name?.allSatisfy(\.isWhitespace) == false ? name : nil
    }

    /// The delta column of the transformation named `Copy`. Flows may have further transformations, such as `Mapping`.
    private var deltaColumn: DeltaColumn? {
        let copies = (document["transformations"].elements ?? []).filter { $0["name"].text?.lowercased() == "copy" }
        return copies.lazy.compactMap { copy in
            let column = copy["params"]["deltaColumn"]
            guard let name = column["name"].text ?? column.text, !name.isEmpty else { return nil }
            return DeltaColumn(name: name, dateFormat: column["dateFormat"].text, timezone: column["timezone"].text)
        }.first
    }
}

extension RunSpecification {
    /// Decodes a flow specification's `runSpec.spec`; `nil` when there is none.
    init?(_ specification: JSONDocument) {
        let schema = specification["runSpec"]["spec"]
        guard schema.members != nil else { return nil }
        let types = (schema["properties"].members ?? [:]).compactMapValues { property in
            let type = property["type"]
            return type.text ?? type.elements?.compactMap(\.text).first { $0 != "null" }
        }
        func required(of schema: JSONDocument) -> Set<String> {
            Set(schema["required"].elements?.compactMap(\.text) ?? [])
        }
        self.init(
            types: types, required: required(of: schema),
            requiredOfColumn: required(of: schema["properties"]["deltaColumn"]))
    }
}
