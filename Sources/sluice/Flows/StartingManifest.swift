import FlowRuns
import FlowService
import Ledger
import Manifests
import RunRequests
import Text

/// A run manifest to start from, made of what the service has: every window that it ran is declared, so that nothing is
/// missing.
struct StartingManifest {
    struct Entry {
        let flow: ServiceFlow
        let source: SourceKind
        let runs: [ObservedRun]
    }

    let target: String
    let entries: [Entry]

    var yaml: String {
        guard !entries.isEmpty else { return "# Every flow scheduled for one-time ingestion is declared already.\n" }
        var lines = [
            "apiVersion: sluice/v1", "kind: RunManifest", "metadata: {name: \(target)-flows}", "spec:",
            "  target: \(target)", "  flows:",
        ]
        for entry in entries { lines += self.lines(entry) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func lines(_ entry: Entry) -> [String] {
        var lines = ["    - flowId: \(entry.flow.id)"]
        if let name = entry.flow.name { lines.append("      name: \(quoted(name))") }
        lines.append("      source: \(entry.source.rawValue)")
        if entry.source == .table, let column = entry.flow.deltaColumn {
            var json = JSONText()
            json.object { $0.members(of: column) }
            // JSON is YAML: its quoting holds for any name.
            lines.append("      deltaColumn: \(json.text)")
        } else if entry.source == .table, entry.runs.isEmpty {
            lines.append("      # deltaColumn: {name: …}    needed before the first run")
        }
        let windows = Set(entry.runs.compactMap(\.window)).sorted()
        if !windows.isEmpty {
            if hasOverlap(windows) { lines.append("      overlap: allow    # windows that were run here overlap") }
            lines.append("      windows:")
            lines += windows.map {
                "        - {start: \($0.start.seconds), end: \($0.end.seconds)}    # \($0.start) to \($0.end)"
            }
        }
        let unknown = entry.runs.filter { $0.window == nil }.sorted { $0.id < $1.id }
        if !unknown.isEmpty {
            lines.append("      acknowledged:")
            lines += unknown.map {
                "        - {run: \(quoted($0.id.description)), reason: \"made before Sluice, its window is not known\"}"
            }
        }
        return lines
    }

    private func hasOverlap(_ windows: [Window]) -> Bool {
        zip(windows, windows.dropFirst()).contains { $0.overlaps($1) }
    }

    private func quoted(_ text: String) -> String {
        var json = JSONText()
        json.array { $0.element(text) }
        return String(json.text.dropFirst().dropLast())
    }
}
