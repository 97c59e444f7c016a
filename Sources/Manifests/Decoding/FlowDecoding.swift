import FlowRuns
import Text
import YAML

/// A decoded `RunManifest`: its flows, and the data that the rules across documents need.
struct RunManifest {
    let name: String
    let target: String
    /// The position of the target's name.
    let targetPlace: Place
    /// The position of the `metadata.name` value.
    let place: Place
    let flows: [FlowDeclaration]
}

extension ManifestDecoder {
    /// Decodes the `spec` of a `RunManifest` into one manifest per target.
    mutating func runManifests(_ spec: YAMLNode, _ header: Header?) -> [RunManifest] {
        guard
            let fields = fields(
                of: spec, "the spec of a run manifest", required: [],
                optional: ["flows", "target", "targets", "paused"])
        else { return [] }
        // The example of 'sluice init' has its only flow in comments.
        if fields.hasEmpty("flows") {
            let key = spec.pairs.first { $0.key.text == "flows" }?.key
            add(
                .missingKey, .warning, at: key ?? spec, "'flows' is empty",
                suggestion: "list the flows, or write flows: []")
        } else if fields["flows"] == nil {
            add(.missingKey, at: spec, "missing key 'flows' in the spec of a run manifest")
        }
        let targets = targets(fields)
        let pause = pause(fields["paused"])
        var flows: [FlowDeclaration] = []
        for element in list(fields["flows"]).map(Array.init) ?? [] {
            flows += self.flows(element, header, targets.map(\.name), pause)
        }
        guard let header else { return [] }
        return targets.map { target in
            RunManifest(
                name: header.name, target: target.name, targetPlace: target.place, place: header.place,
                flows: flows.filter { $0.target == target.name })
        }
    }

    private mutating func targets(_ fields: MappingFields) -> [(name: String, place: Place)] {
        guard let several = fields["targets"] else {
            guard let field = fields["target"] else {
                add(
                    .missingKey, at: fields.node, "missing key 'target' in the spec of a run manifest",
                    suggestion: "write target: NAME; or targets: [NAME, NAME] for several")
                return []
            }
            return name(field).map { [($0, place(of: field.value))] } ?? []
        }
        if let one = fields["target"] {
            add(
                .unknownKey, at: one.value, "'target' does not go with 'targets'",
                suggestion: "name it under 'targets', too, or remove one of them")
        }
        var targets: [(name: String, place: Place)] = []
        for node in list(several).map(Array.init) ?? [] {
            guard let name = name(Field(key: "targets", value: node)) else { continue }
            if let first = targets.first(where: { $0.name == name }) {
                add(
                    .targetNamedTwice, at: node, "the target \(quoted(name)) is named twice", suggestion: "remove one",
                    notes: [.init(place: first.place, message: "first named here")])
            } else {
                targets.append((name, place(of: node)))
            }
        }
        if several.value.kind == .sequence, several.value.count == 0 {
            add(.missingKey, at: several.value, "'targets' names no target", suggestion: "write targets: [NAME, NAME]")
        }
        return targets
    }

    private static let optionalKeys = [
        "name", "deltaColumn", "overlap", "retryFailed", "expect", "order", "priority", "windows", "series", "batch",
        "limits", "rerun", "acknowledged", "paused", "replaces", "after",
    ]

    /// Decodes a flow once per target: for the manifest's targets, or for those under the flow's own `targets`, which
    /// can override keys.
    ///
    /// - Parameter pause: the pause of the whole manifest.
    private mutating func flows(
        _ node: YAMLNode, _ header: Header?, _ targets: [String], _ pause: Pause?
    ) -> [FlowDeclaration] {
        defer { isRepeatedReading = false }
        let isSplit = node.kind == .mapping && node.pairs.contains { $0.key.hasText("targets") && !$0.value.isNull }
        let required = isSplit ? ["source"] : ["flowId", "source"]
        let optional = (isSplit ? ["flowId"] : []) + Self.optionalKeys + ["targets"]
        guard let common = fields(of: node, "a flow", required: required, optional: optional) else { return [] }
        guard let split = common["targets"] else {
            // Decode the flow even without a target, so that its errors are reported.
            return (targets.isEmpty ? [""] : targets).compactMap { target in
                defer { isRepeatedReading = true }
                return flow(common, header, target, pause)
            }
        }
        guard split.value.kind == .mapping else {
            add(
                .wrongType, at: split.value, "'targets' of a flow must be a mapping, not \(described(split.value))",
                suggestion: "write targets: {\(targets.first ?? "NAME"): {flowId: …}}")
            return []
        }
        var flows: [FlowDeclaration] = []
        for (key, value) in split.value.pairs where key.kind == .scalar {
            defer { isRepeatedReading = true }
            if !targets.isEmpty, !targets.contains(key.text) {
                let known = nearest(to: key.text, among: targets).map { "did you mean '\($0)'?" }
                add(
                    .targetUnknown, at: key, "the manifest is not for the target \(quoted(key.text))",
                    suggestion: known ?? "its targets: \(targets.joined(separator: ", "))")
            }
            guard
                let own = fields(
                    of: value, "a flow in a target", required: [], optional: ["flowId"] + Self.optionalKeys)
            else { continue }
            let merged = common.overlaid(by: own)
            if merged["flowId"] == nil {
                add(.missingKey, at: value, "missing key 'flowId' of the flow in the target \(quoted(key.text))")
            }
            if let flow = flow(merged, header, key.text, pause) { flows.append(flow) }
        }
        return flows
    }

    private mutating func flow(
        _ fields: MappingFields, _ header: Header?, _ target: String, _ pause: Pause?
    ) -> FlowDeclaration? {
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
    ) -> Series.Step? {
        guard let step = step(field) else { return nil }
        if overlap == .allow, let overlapField {
            add(
                .batchWithAllow, at: overlapField.value,
                "'batch' does not go with 'overlap: allow', which requests windows inside of a recorded run again",
                suggestion: "write overlap: error or trim, or remove 'batch'")
        }
        return step
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
        // Free text: the service's time zone names need not be IANA names.
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
        return checkWholeSeconds(fields, "start", "end") ? window(fields) : nil
    }

    private mutating func range(_ fields: MappingFields) -> Window? {
        guard let extra = fields["start"] ?? fields["end"] else {
            return checkWholeSeconds(fields, "from", "until") ? window(fields, startKey: "from", endKey: "until") : nil
        }
        add(
            .unknownKey, at: extra.value, "'\(extra.key)' of a rerun does not go with 'from' and 'until'",
            suggestion: "write start and end of a recorded window; or from and until, for every one that they touch")
        return nil
    }

    private mutating func checkWholeSeconds(_ fields: MappingFields, _ keys: String...) -> Bool {
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
