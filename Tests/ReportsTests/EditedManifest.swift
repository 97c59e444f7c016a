import FlowRuns
import Manifests
import Testing

/// A manifest of one flow, as a person edits it: with one line for each key, and one for each entry of a list.
struct EditedManifest {
    private var keys: [(key: String, text: String)] = []
    private var lists: [(key: String, entries: [String])] = []

    /// Writes a line such as `overlap: trim`, in place of the one with the same key.
    mutating func write(_ line: String) {
        let key = String(line.prefix { $0 != ":" })
        remove(key)
        keys.append((key, line))
    }

    mutating func remove(_ key: String) { keys.removeAll { $0.key == key } }

    mutating func add(_ entry: String, to list: String) {
        if let index = lists.firstIndex(where: { $0.key == list }) {
            lists[index].entries.append(entry)
        } else {
            lists.append((list, [entry]))
        }
    }

    /// Replaces the first entry of a list that contains a text, or removes it.
    mutating func replace(_ text: String, in list: String, by entry: String?) {
        guard let index = lists.firstIndex(where: { $0.key == list }),
            let position = lists[index].entries.firstIndex(where: { $0.contains(text) })
        else {
            Issue.record("no entry of '\(list)' contains \(text)\n\(yaml)")
            return
        }
        if let entry { lists[index].entries[position] = entry } else { lists[index].entries.remove(at: position) }
    }

    func entry(containing text: String, in list: String) -> String? {
        lists.first { $0.key == list }?.entries.first { $0.contains(text) }
    }

    var yaml: String {
        let header = [
            "apiVersion: sluice/v1", "kind: RunManifest", "metadata: {name: crm}", "spec:", "  target: prod",
            "  flows:", "  - flowId: \(Sample.flowID(1))",
        ]
        let filled = lists.filter { !$0.entries.isEmpty }
        let lines =
            keys.map { "    \($0.text)" } + filled.flatMap { ["    \($0.key):"] + $0.entries.map { "    - \($0)" } }
        return (header + lines).joined(separator: "\n") + "\n"
    }

    var declaration: FlowDeclaration? { loadedFlow(yaml) }
}

/// Loads a manifest of one flow; returns `nil` if it does not load.
func loadedFlow(_ yaml: String) -> FlowDeclaration? {
    let target = """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: prod}
        spec: {service: embedded, organization: o, sandbox: s, ledger: "sqlite:l.sqlite"}
        """
    let loaded = ManifestLoader().load([
        SourceFile(path: "target.yaml", bytes: Array(target.utf8)),
        SourceFile(path: "flows.yaml", bytes: Array(yaml.utf8)),
    ])
    #expect(!loaded.diagnostics.hasErrors, "\(loaded.diagnostics)\n\(yaml)")
    return loaded.manifests.flows.first
}
