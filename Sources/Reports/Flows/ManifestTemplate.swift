import FlowRuns
import Manifests
import Text

/// An initial run manifest, generated from the runs on the service.
///
/// Every window that was run is declared, so that none is missing, and regular windows are folded into series. The
/// manifest is valid for any data from the service: what a manifest cannot express is omitted or written as a comment.
package struct ManifestTemplate: Sendable {
    package struct Entry: Sendable {
        package let id: FlowID
        package let name: String?
        package let source: SourceKind
        package let deltaColumn: DeltaColumn?
        /// The runs that the service has accepted.
        package let runs: [RecordedRun]

        package init(
            id: FlowID, name: String?, source: SourceKind, deltaColumn: DeltaColumn?, runs: [RecordedRun]
        ) {
            self.id = id
            self.name = name
            self.source = source
            self.deltaColumn = deltaColumn
            self.runs = runs
        }
    }

    /// The comment with which an editor's YAML language server finds the schema, next to the manifest.
    package static let modeline = "# yaml-language-server: $schema=manifest.schema.json"
    private static let schemaHint = "# The schema, for editors: sluice schema manifest > manifest.schema.json"

    let target: String
    let entries: [Entry]
    /// The machine's time zone, in which days that begin at its midnight are declared; `nil` if it is not known.
    let localZone: String?

    package init(target: String, entries: [Entry], localZone: String? = nil) {
        self.target = target
        self.entries = entries
        self.localZone = localZone
    }

    /// The counts in words, such as `3 flows of the sandbox, with 40 runs`.
    package var summary: String {
        "\(counted(entries.count, "flow")) of the sandbox, with \(counted(entries.reduce(0) { $0 + $1.runs.count }, "run"))"
    }

    package var yaml: String {
        guard !entries.isEmpty else {
            return "# Every flow that is scheduled for one-time ingestion is declared already.\n"
        }
        // The maximum length of a name is 100 characters.
        let lines = [
            Self.modeline, Self.schemaHint, "# Read from the service. For a series that continues, write until: now.",
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
        if zip(distinct, distinct.dropFirst()).contains(where: { $0.overlaps($1) }) {
            lines.append("      overlap: allow    # some of these windows overlap")
        }
        let zones = [entry.deltaColumn?.timezone, localZone].compactMap(\.self)
        lines += time(FoldedTime(distinct, likelyZones: zones))
        let unknown = Set(zip(entry.runs, windows).filter { $0.1 == nil }.compactMap(\.0.id))
        return lines
            + acknowledged(
                unknown.map { ($0, "made before Sluice, its window is not known") }
                    + extraRuns(entry).subtracting(unknown).map {
                        ($0, "made before Sluice, its window was run before")
                    })
    }

    private func time(_ time: FoldedTime) -> [String] {
        var lines: [String] = []
        if !time.series.isEmpty {
            lines.append("      series:")
            let zone = time.timeZone.map { ", timeZone: \($0)" } ?? ""
            lines += time.series.map {
                "        - {every: \($0.every.text), from: \(text($0.from)), until: \(text($0.until))\(zone)}    "
                    + "# \(counted($0.windows.count, "window"))"
            }
        }
        if !time.windows.isEmpty {
            lines.append("      windows:")
            lines += time.windows.map { "        - {start: \($0.start), end: \($0.end)}" }
        }
        return lines
    }

    /// Formats a time, as a date only if it is midnight UTC.
    private func text(_ time: Timestamp) -> String {
        let moment = UTCTime(time)
        return moment.secondOfDay == 0 ? moment.date : "\(time)"
    }

    /// Returns the runs to acknowledge as repeats: all runs of a window that did not fail, except the oldest one.
    private func extraRuns(_ entry: Entry) -> Set<RunID> {
        let runs = entry.runs.filter { $0.state != .failed && $0.window != nil }.sorted {
            ($0.recordedAt, $0.identity.attempt) < ($1.recordedAt, $1.identity.attempt)
        }
        var known: Set<Window> = []
        return Set(runs.filter { $0.window.map { !known.insert($0).inserted } ?? false }.compactMap(\.id))
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

    /// Lists runs to acknowledge: those without a declarable window, and those that repeat a window.
    private func acknowledged(_ runs: [(id: RunID, reason: String)]) -> [String] {
        guard !runs.isEmpty else { return [] }
        let sorted = runs.sorted { $0.id < $1.id }
        let lines = sorted.filter { isText($0.id.description) }.map {
            "        - {run: \(quotedYAMLText($0.id.description)), reason: \"\($0.reason)\"}"
        }
        let comments = sorted.map(\.id.description).filter { !isText($0) }.map {
            "      # The run \(quotedYAMLText($0)) cannot be acknowledged here."
        }
        return (lines.isEmpty ? [] : ["      acknowledged:"]) + lines + comments
    }

    /// Truncates a window to whole seconds; returns `nil` if a manifest cannot declare it.
    private func declarable(_ window: Window) -> Window? {
        guard window.start.seconds >= 0, window.end.seconds < 100_000_000_000 else { return nil }
        return Window(startSeconds: window.start.seconds, endSeconds: window.end.seconds)
    }

    /// Checks whether a manifest accepts a text as a value.
    private func isText(_ text: String) -> Bool {
        text.utf8.count <= 1000 && !text.allSatisfy(\.isWhitespace) && !hasPlaceholder(text)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
