import FlowRuns
import Ledger
import Testing

@testable import Reports

@Suite("the history of recorded runs")
struct HistoryTests {
    @Test("as text, Markdown and JSON, golden")
    func golden() throws {
        let style = TextStyle(width: 150)
        let history = HistoryText(style: style, names: Sample.names).render(Sample.entries)
        try expectGolden(history, "history.txt")
        let full = HistoryText(style: style, names: Sample.names, showsRequests: true).render(Sample.entries)
        try expectGolden(full, "history-requests.txt")
        try expectGolden(HistoryMarkdown(names: Sample.names).render(Sample.entries), "history.md")
        var json: [UInt8] = []
        writeHistory(Sample.entries) { json += $0 }
        try expectGolden(text(json), "history.json")
    }

    @Test("an empty ledger is said to be empty")
    func empty() {
        #expect(HistoryText(style: TextStyle()).render([]) == "No runs are recorded.\n")
    }

    @Test("the newest run is the last, whatever the order given")
    func order() {
        let texts = [Sample.entries, Sample.entries.reversed()].map { HistoryText(style: TextStyle()).render($0) }
        #expect(texts[0] == texts[1])
        #expect(texts[0].split(separator: "\n").dropLast().last?.contains("in doubt") == true)
    }

    @Test("as a comment it leaves out the oldest and counts them")
    func bounded() {
        let entries = (0..<2000).map { index in
            LedgerEntry(
                run: Sample.run(
                    1, Sample.window(Timestamp(seconds: Int64(index)), .seconds(1)), .succeeded, id: "run-\(index)",
                    at: Timestamp(seconds: Int64(index))),
                updatedAt: Timestamp(milliseconds: 0))
        }
        let markdown = HistoryMarkdown().render(entries)
        #expect(markdown.utf8.count <= PlanMarkdown.mostBytes)
        #expect(markdown.contains("run-1999"))
        #expect(markdown.contains("older runs left out"))
    }
}
