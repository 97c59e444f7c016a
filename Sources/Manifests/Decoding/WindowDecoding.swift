import FlowRuns
import YAML

extension ManifestDecoder {
    /// Decodes the explicit windows of a flow, which can be a million.
    mutating func windows(_ field: Field?) -> [DeclaredWindow] {
        guard let field, let elements = list(field) else { return [] }
        var windows: [DeclaredWindow] = []
        windows.reserveCapacity(field.value.count)
        for node in elements {
            guard let window = ordinaryWindow(node) ?? window(node) else { continue }
            let start = node.start
            windows.append(
                DeclaredWindow(
                    window: window, line: UInt32(clamping: start.line), column: UInt32(clamping: start.column)))
        }
        addDuplicates(in: windows)
        return windows
    }

    /// Fast path for a valid `{start: 1651584991, end: 1651588591}`: creates no string and no dictionary.
    private func ordinaryWindow(_ node: YAMLNode) -> Window? {
        guard node.kind == .mapping, node.count == 2 else { return nil }
        var start: Int64?
        var end: Int64?
        for (key, value) in node.pairs {
            if key.hasText("start") {
                start = value.int64
            } else if key.hasText("end") {
                end = value.int64
            }
        }
        guard let start, let end, start >= 0, end <= TimeText.farFuture.seconds else { return nil }
        return Window(startSeconds: start, endSeconds: end)
    }

    mutating func window(_ node: YAMLNode) -> Window? {
        fields(of: node, "a window", required: ["start", "end"]).flatMap { window($0) }
    }

    /// Decodes the window of a mapping, whose start and end have the given keys.
    mutating func window(_ fields: MappingFields, startKey: String = "start", endKey: String = "end") -> Window? {
        let start = time(fields[startKey])
        let end = time(fields[endKey])
        guard let start, let end, let endField = fields[endKey] else { return nil }
        if let window = Window(start: start, end: end) {
            if end > TimeText.farFuture {
                add(
                    .farFuture, .warning, at: endField.value, "the window ends in the far future, at \(end)",
                    suggestion: "check the number of digits")
            }
            return window
        }
        if start == end {
            add(
                .windowReversed, at: fields.node, "the window is empty: it starts and ends at \(start)",
                suggestion: "the end is exclusive; write an end after the start")
        } else {
            add(
                .windowReversed, at: fields.node, "the window ends at \(end), before it starts",
                suggestion:
                    "write {\(startKey): \(endField.value.text), \(endKey): \(fields[startKey]?.value.text ?? "")}")
        }
        return nil
    }

    /// Reports duplicate windows. Sorts only if the windows are not already in ascending order.
    private mutating func addDuplicates(in windows: [DeclaredWindow]) {
        let isAscending = zip(windows, windows.dropFirst()).allSatisfy { $0.window < $1.window }
        if isAscending { return }
        let sorted = windows.sorted { ($0.window, $0.line, $0.column) < ($1.window, $1.line, $1.column) }
        guard var first = sorted.first else { return }
        for window in sorted.dropFirst() {
            guard window.window == first.window else {
                first = window
                continue
            }
            add(
                Diagnostic(
                    .windowDeclaredTwice, at: place(of: window),
                    "the window \(window.window.inWords) is declared twice",
                    suggestion: "remove one; to ingest it again, declare a rerun",
                    notes: [.init(place: place(of: first), message: "first declared here")]))
        }
    }

    private func place(of window: DeclaredWindow) -> Place {
        Place(file: file, line: Int(window.line), column: Int(window.column))
    }
}
