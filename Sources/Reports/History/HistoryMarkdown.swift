import FlowRuns
import Ledger

extension HistoryReport {
    /// A table. When the runs are too many for a comment the oldest are left out, and counted.
    var markdown: MarkdownText {
        guard !entries.isEmpty else { return "\(emptyText)\n" }
        let titles = ["When (UTC)", "Flow", "Window (UTC)", "State", "Run", "Attempt", "Declared by"]
        let head = MarkdownText.head(titles, numbersFrom: titles.count)
        var room = BoundedMarkdown.mostBytes - head.size - 200
        var rows: [MarkdownText] = []
        for entry in entries.reversed() {
            let row = row(entry)
            guard row.size <= room else { break }
            room -= row.size
            rows.append(row)
        }
        let omitted = entries.count - rows.count
        let note: MarkdownText = omitted > 0 ? "\n_\(counted(omitted, "older run")) left out for length._\n" : ""
        return rows.reversed().reduce(head, +) + note
    }

    private func row(_ entry: LedgerEntry) -> MarkdownText {
        let run = entry.run
        let failure: MarkdownText = run.failure.map { "<br>\($0.prefix(300))" } ?? ""
        let declared: MarkdownText =
            run.origin == .service ? "_found on the service_" : "\(code: entry.provenance.text)"
        return .row([
            "\(run.recordedAt.description)", "\(code: title(of: run.flow))",
            "\(run.window.map { "\($0.text("…")) (\(spanText($0.length)))" } ?? "unknown")",
            "\(run.state.sign) \(run.state.inWords)\(failure)", "\(code: run.id?.description ?? "")",
            "\(run.attemptText)", declared,
        ])
    }
}
