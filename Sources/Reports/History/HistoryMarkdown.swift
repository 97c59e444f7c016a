import FlowRuns
import Ledger

extension HistoryReport {
    /// The runs as a table. If there are too many for a comment, the oldest are omitted and counted.
    var markdown: MarkdownText {
        guard !entries.isEmpty else { return "\(emptyText)\n" }
        let titles = ["When (UTC)", "Flow", "Window (UTC)", "State", "Run", "Attempt", "Declared by"]
        var text = BoundedMarkdown(limit: BoundedMarkdown.maxBytes - 200)
        let shown = text.add(entries.lazy.map(row), head: .head(titles, numbersFrom: titles.count))
        let omitted = entries.count - shown + leftOut
        if omitted > 0 { text.add("\n_\(counted(omitted, "older run")) left out._\n") }
        return text.text
    }

    private func row(_ entry: LedgerEntry) -> MarkdownText {
        let run = entry.run
        let failure: MarkdownText = run.failure.map { "<br>\($0.prefix(300))" } ?? ""
        let shortfall: MarkdownText = shortfall(of: entry).map { "<br>⚠️ \($0)" } ?? ""
        let reason: MarkdownText = entry.provenance.reason.map { "<br>\($0.prefix(300))" } ?? ""
        let declared: MarkdownText =
            run.origin == .service ? "_found on the service_" : "\(code: entry.provenance.text)"
        return .row([
            "\(run.recordedAt.description)", "\(code: title(of: run.flow))",
            "\(run.window.map { "\($0.text("…")) (\(spanText($0.length)))" } ?? "unknown")",
            "\(run.state.sign) \(run.state.inWords)\(shortfall)\(failure)", "\(code: run.id?.description ?? "")",
            "\(run.attemptText)\(reason)", declared,
        ])
    }
}
