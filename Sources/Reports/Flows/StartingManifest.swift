import FlowRuns
import Manifests
import Text

/// A run manifest to start from, made of what the service has: every window that it ran is declared, so that nothing is
/// missing. It is valid whatever the service tells: what a manifest cannot say is left out, or stands in a comment.
package struct StartingManifest: Sendable {
    package struct Entry: Sendable {
        package let id: FlowID
        package let name: String?
        package let source: SourceKind
        package let deltaColumn: DeltaColumn?
        package let runs: [ObservedRun]

        package init(
            id: FlowID, name: String?, source: SourceKind, deltaColumn: DeltaColumn?, runs: [ObservedRun]
        ) {
            self.id = id
            self.name = name
            self.source = source
            self.deltaColumn = deltaColumn
            self.runs = runs
        }
    }

    let target: String
    let entries: [Entry]

    package init(target: String, entries: [Entry]) {
        self.target = target
        self.entries = entries
    }

    /// `3 flows with 40 runs`
    package var summary: String {
        "\(counted(entries.count, "flow")) of the sandbox, with \(counted(entries.reduce(0) { $0 + $1.runs.count }, "run"))"
    }

    package var yaml: String {
        guard !entries.isEmpty else {
            return "# Every flow that is scheduled for one-time ingestion is declared already.\n"
        }
        // A name has at most 100 characters.
        let lines = [
            "apiVersion: sluice/v1", "kind: RunManifest",
            "metadata: {name: \(quotedYAMLText("\(target.prefix(94))-flows"))}",
            "spec:", "  target: \(quotedYAMLText(target))", "  flows:",
        ]
        return (lines + entries.flatMap { self.lines($0) }).map { $0 + "\n" }.joined()
    }

    private func lines(_ entry: Entry) -> [String] {
        var lines = ["    - flowId: \(entry.id)"]
        if let name = entry.name.map({ String(printable($0).prefix(200)) }), isText(name) {
            lines.append("      name: \(quotedYAMLText(name))")
        }
        lines.append("      source: \(entry.source.rawValue)")
        if entry.source == .table { lines += column(entry) }

        let windows = entry.runs.map { $0.window.flatMap(declarable) }
        let distinct = Set(windows.compactMap(\.self)).sorted()
        if !distinct.isEmpty {
            if zip(distinct, distinct.dropFirst()).contains(where: { $0.overlaps($1) }) {
                lines.append("      overlap: allow    # some of these windows overlap")
            }
            lines.append("      windows:")
            lines += distinct.map {
                "        - {start: \($0.start.seconds), end: \($0.end.seconds)}    # \($0.start) to \($0.end)"
            }
        }
        let others = Set(zip(entry.runs, windows).filter { $0.1 == nil }.map(\.0.id)).sorted()
        return lines + acknowledged(others)
    }

    private func column(_ entry: Entry) -> [String] {
        guard let column = entry.deltaColumn else {
            return entry.runs.isEmpty ? ["      # deltaColumn: {name: …}    required for the first run"] : []
        }
        let members = [
            ("name", Optional(column.name)), ("dateFormat", column.dateFormat), ("timezone", column.timezone),
        ].compactMap { key, value in value.map { (key, $0) } }
        guard members.allSatisfy({ isText($0.1) }) else {
            return ["      # The delta column \(quotedYAMLText(column.name)) cannot be written in a manifest."]
        }
        return ["      deltaColumn: {\(members.map { "\($0): \(quotedYAMLText($1))" }.joined(separator: ", "))}"]
    }

    /// Runs whose window is unknown, or is none that a manifest can declare.
    private func acknowledged(_ runs: [RunID]) -> [String] {
        guard !runs.isEmpty else { return [] }
        let texts = runs.map(\.description)
        let lines = texts.filter(isText).map {
            "        - {run: \(quotedYAMLText($0)), reason: \"made before Sluice, its window is not known\"}"
        }
        let comments = texts.filter { !isText($0) }.map {
            "      # The run \(quotedYAMLText($0)) cannot be acknowledged here."
        }
        return (lines.isEmpty ? [] : ["      acknowledged:"]) + lines + comments
    }

    /// In whole seconds within the years that a manifest takes.
    private func declarable(_ window: Window) -> Window? {
        guard window.start.seconds >= 0, window.end.seconds < 100_000_000_000 else { return nil }
        return Window(startSeconds: window.start.seconds, endSeconds: window.end.seconds)
    }

    /// Whether a manifest takes it as a text.
    private func isText(_ text: String) -> Bool {
        text.utf8.count <= 1000 && !text.allSatisfy(\.isWhitespace)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
