import FlowRuns
import Text
import YAML

/// A decoded `RunManifest`: its flows, and what the rules between documents need.
struct RunManifest {
    let name: String
    let target: String
    /// Where the target is named.
    let targetPlace: Place
    /// Where the value of `metadata.name` is.
    let place: Place
    let flows: [FlowDeclaration]
}

extension ManifestDecoder {
    /// The `spec` of a `RunManifest`.
    mutating func runManifest(_ spec: YAMLNode, _ header: Header?) -> RunManifest? {
        guard
            let fields = fields(
                of: spec, "the spec of a run manifest", required: ["target", "flows"], optional: ["paused"])
        else { return nil }
        let target = name(fields["target"])
        let pause = pause(fields["paused"])
        var flows: [FlowDeclaration] = []
        for element in list(fields["flows"]).map(Array.init) ?? [] {
            if let flow = flow(element, header, target ?? "", pause) { flows.append(flow) }
        }
        guard let header, let target, let targetField = fields["target"] else { return nil }
        return RunManifest(
            name: header.name, target: target, targetPlace: place(of: targetField.value), place: header.place,
            flows: flows)
    }

    /// - Parameter pause: of the whole manifest.
    private mutating func flow(
        _ node: YAMLNode, _ header: Header?, _ target: String, _ pause: Pause?
    ) -> FlowDeclaration? {
        let optional = [
            "name", "deltaColumn", "overlap", "retryFailed", "expect", "order", "priority", "windows", "series",
            "batch",
            "limits", "rerun",
            "acknowledged", "paused", "replaces", "after",
        ]
        guard let fields = fields(of: node, "a flow", required: ["flowId", "source"], optional: optional) else {
            return nil
        }
        let flow = flowID(fields["flowId"])
        let name = text(fields["name"])
        let source = choice(fields["source"], of: SourceKind.self)
        let column = deltaColumn(fields["deltaColumn"])
        if source == .file, let field = fields["deltaColumn"] {
            add(
                .deltaColumnOnFile, at: field.value, "a file-based flow has no delta column",
                suggestion: "remove 'deltaColumn', or write source: table")
        }
        let overlap = choice(fields["overlap"], of: FlowDeclaration.Overlap.self) ?? .error
        let retries = retries(fields["retryFailed"])
        let expectation = expectation(fields["expect"])
        let order = choice(fields["order"], of: FlowDeclaration.Order.self) ?? .oldestFirst
        let runsPerDay = fields["limits"].flatMap { limits in
            let limits = self.fields(of: limits.value, "the limits of a flow", required: [], optional: ["runsPerDay"])
            return integer(limits?["runsPerDay"], in: 1...1_000_000)
        }
        let priority = integer(fields["priority"], in: -1000...1000) ?? 0
        let windows = windows(fields["windows"])
        let series = list(fields["series"])?.compactMap { self.series($0) } ?? []
        let batch = batch(fields["batch"], fields["overlap"], overlap)
        let reruns = reruns(fields["rerun"])
        let acknowledged = acknowledgements(fields["acknowledged"])
        let pauses = [self.pause(fields["paused"]), pause].compactMap(\.self)
        let replaces = replacements(fields["replaces"])
        let after = predecessors(fields["after"])
        guard let flow, let source, let place = fields["flowId"].map({ place(of: $0.value) }) else { return nil }
        return FlowDeclaration(
            id: flow, name: name, manifest: header?.name ?? "", owner: header?.owner, target: target, source: source,
            deltaColumn: column, overlap: overlap, retries: retries, expectation: expectation, order: order,
            runsPerDay: runsPerDay,
            priority: priority,
            windows: windows, series: series, batch: batch,
            reruns: reruns, acknowledged: acknowledged, pauses: pauses, replaces: replaces, after: after, place: place)
    }

    private mutating func batch(
        _ field: Field?, _ overlapField: Field?, _ overlap: FlowDeclaration.Overlap
    ) -> SeriesBatch? {
        guard let step = step(field) else { return nil }
        if overlap == .allow, let overlapField {
            add(
                .batchWithAllow, at: overlapField.value,
                "'batch' does not go with 'overlap: allow', which requests windows inside of a recorded run again",
                suggestion: "write overlap: error or trim, or remove 'batch'")
        }
        return .upTo(step)
    }

    mutating func flowID(_ field: Field?) -> FlowID? {
        guard let field, let text = text(field) else { return nil }
        if let flow = FlowID(text) { return flow }
        let digits = text.filter(\.isHexDigit)
        let isUUID = digits.count == 32 && text.allSatisfy { $0.isHexDigit || "-{} ".contains($0) }
        add(
            .badID, at: field.value, "invalid flow id \(quoted(text))",
            suggestion: isUUID
                ? "write \(hyphenated(digits.lowercased()))"
                : "a flow id is a UUID, such as 3abea21c-7e36-4be1-bec1-d3bad0e3e0de")
        return nil
    }

    private func hyphenated(_ digits: String) -> String {
        var rest = digits[...]
        return [8, 4, 4, 4, 12].map { width in
            defer { rest = rest.dropFirst(width) }
            return String(rest.prefix(width))
        }.joined(separator: "-")
    }

    private mutating func deltaColumn(_ field: Field?) -> DeclaredColumn? {
        guard let field else { return nil }
        if field.value.kind == .scalar {
            add(
                .wrongType, at: field.value, "'deltaColumn' must be a mapping, not \(described(field.value))",
                suggestion: "write deltaColumn: {name: \(printable(field.value.text))}")
            return nil
        }
        guard
            let fields = fields(
                of: field.value, "'deltaColumn'", required: ["name"], optional: ["dateFormat", "timezone"])
        else { return nil }
        let dateFormat = text(fields["dateFormat"])
        // Free text: it goes to the service, whose names for time zones need not be IANA's.
        let timezone = text(fields["timezone"])
        guard let nameField = fields["name"], let name = text(nameField) else { return nil }
        return DeclaredColumn(
            column: DeltaColumn(name: name, dateFormat: dateFormat, timezone: timezone),
            place: place(of: nameField.value))
    }

    private mutating func reruns(_ field: Field?) -> [Rerun] {
        var reruns: [Rerun] = []
        var places: [String: Place] = [:]
        for node in list(field).map(Array.init) ?? [] {
            guard
                let fields = fields(
                    of: node, "a rerun", required: ["id", "reason"], optional: ["start", "end", "from", "until"])
            else { continue }
            let isRange = fields["from"] != nil || fields["until"] != nil
            let window = isRange ? range(fields) : windowOfRerun(fields)
            let reason = text(fields["reason"])
            guard let idField = fields["id"], let id = name(idField) else { continue }
            if let first = places[id] {
                add(
                    .rerunDeclaredTwice, at: idField.value, "the rerun id \(quoted(id)) is used twice in this flow",
                    suggestion: "give each rerun its own id", notes: [.init(place: first, message: "first used here")])
                continue
            }
            places[id] = place(of: idField.value)
            guard let window, let reason else { continue }
            reruns.append(Rerun(window: window, isRange: isRange, id: id, reason: reason, place: place(of: node)))
        }
        return reruns
    }

    private mutating func windowOfRerun(_ fields: MappingFields) -> Window? {
        guard fields["start"] != nil || fields["end"] != nil else {
            add(
                .missingKey, at: fields.node, "a rerun needs its window, or a range",
                suggestion: "write start and end of a recorded window; or from and until, for every one that they touch"
            )
            return nil
        }
        return spanIsWhole(fields, "start", "end") ? window(fields) : nil
    }

    private mutating func range(_ fields: MappingFields) -> Window? {
        guard let extra = fields["start"] ?? fields["end"] else {
            return spanIsWhole(fields, "from", "until") ? window(fields, "from", "until") : nil
        }
        add(
            .unknownKey, at: extra.value, "'\(extra.key)' of a rerun does not go with 'from' and 'until'",
            suggestion: "write start and end of a recorded window; or from and until, for every one that they touch")
        return nil
    }

    private mutating func spanIsWhole(_ fields: MappingFields, _ keys: String...) -> Bool {
        for key in keys where fields[key] == nil {
            add(.missingKey, at: fields.node, "missing key '\(key)' in a rerun")
            return false
        }
        return true
    }

    private mutating func acknowledgements(_ field: Field?) -> [Acknowledgement] {
        var acknowledged: [Acknowledgement] = []
        var places: [String: Place] = [:]
        for node in list(field).map(Array.init) ?? [] {
            guard
                let fields = fields(of: node, "an acknowledged run", required: ["run", "reason"], optional: ["window"])
            else { continue }
            let reason = text(fields["reason"])
            let window = fields["window"].flatMap { self.window($0.value) }
            guard let field = fields["run"], let text = text(field), let run = RunID(text) else { continue }
            if let first = places[text] {
                add(
                    .acknowledgedTwice, at: field.value, "the run \(quoted(text)) is acknowledged twice in this flow",
                    suggestion: "remove one", notes: [.init(place: first, message: "first acknowledged here")])
                continue
            }
            places[text] = place(of: field.value)
            guard let reason else { continue }
            acknowledged.append(
                Acknowledgement(run: run, reason: reason, window: window, place: place(of: field.value)))
        }
        return acknowledged
    }
}
