import FlowRuns
import Ledger

/// Recorded runs as a table in Markdown, newest last. When they are too many for a comment the oldest are left out, and
/// counted.
package struct HistoryMarkdown: Sendable {
    private let names: [FlowID: String]

    /// - Parameter names: the flows' names, as far as manifests tell them.
    package init(names: [FlowID: String] = [:]) { self.names = names }

    /// At most ``PlanMarkdown/mostBytes`` bytes.
    package func render(_ entries: [LedgerEntry]) -> String {
        guard !entries.isEmpty else { return "No runs are recorded.\n" }
        let titles = ["When (UTC)", "Flow", "Window (UTC)", "State", "Run", "Attempt", "Declared by"]
        let head = Markdown.head(titles, numbersFrom: titles.count)
        var room = PlanMarkdown.mostBytes - head.utf8.count - 200
        var rows: [String] = []
        for entry in entries.newestLast.reversed() {
            let row = row(entry)
            guard row.utf8.count <= room else { break }
            room -= row.utf8.count
            rows.append(row)
        }
        let omitted = entries.count - rows.count
        let note = omitted > 0 ? "\n_\(counted(omitted, "older run")) left out for length._\n" : ""
        return head + rows.reversed().joined() + note
    }

    private func row(_ entry: LedgerEntry) -> String {
        let run = entry.run
        let failure = run.failure.map { "<br>\(Markdown.escaped(String($0.prefix(300))))" } ?? ""
        let declared = run.origin == .service ? "_found on the service_" : Markdown.code(entry.provenance.text)
        return Markdown.row([
            run.recordedAt.description, Markdown.code(names[run.flow] ?? run.flow.description),
            run.window.map { "\($0.text("…")) (\(spanText($0.length)))" } ?? "unknown",
            "\(run.state.sign) \(run.state.inWords)\(failure)", Markdown.code(run.id?.description ?? ""),
            Markdown.escaped(run.attemptText), declared,
        ])
    }
}

extension RunState {
    /// A sign that is told from the others without its colour.
    fileprivate var sign: String {
        switch self {
        case .succeeded: "✅"
        case .partial: "🟡"
        case .failed: "❌"
        case .rejected: "⛔"
        case .inDoubt, .intended: "❓"
        case .accepted: "⏳"
        case .released: "↩️"
        }
    }
}
