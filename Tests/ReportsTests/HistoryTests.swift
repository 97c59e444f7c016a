import FlowRuns
import Ledger
import Manifests
import TestSupport
import Testing

@testable import Reports

@Suite("The history of recorded runs")
struct HistoryTests {
    @Test("the history as text, Markdown and JSON, golden")
    func golden() throws {
        let style = TextStyle(width: 240)
        let report = HistoryReport(Sample.entries, names: Sample.names)
        try expectGolden(report.written(.text, style), "history.txt")
        let full = HistoryReport(Sample.entries, names: Sample.names, showsRequests: true)
        try expectGolden(full.written(.text, style), "history-requests.txt")
        try expectGolden(report.written(.markdown), "history.md")
        try expectGolden(report.written(.json), "history.json")
    }

    @Test("a run with too few records is marked")
    func tooFewRecords() throws {
        let entry = LedgerEntry(
            run: Sample.run(1, Sample.window(Sample.newYear, Sample.day), .succeeded, id: "none"),
            request: "POST /runs {}", counts: RunCounts(inputRecords: 0, outputRecords: 0), updatedAt: Sample.asOf)
        let report = HistoryReport([entry], expectations: [Sample.flowID(1): Expectation(minimumRecords: 1)])
        #expect(report.written().contains("0 records, and at least 1 is expected"))
        #expect(report.written(.markdown).contains("succeeded<br>⚠️ 0 records, and at least 1 is expected"))
        #expect(report.written(.json).contains(#""minimumRecords":1"#))
        #expect(try SchemaValidator.faults(in: [.init("history", report.written(.json))]) == [nil])
        #expect(!HistoryReport([entry]).written().contains("expected"))
    }

    @Test("on a narrow terminal, runs are blocks and no word is cut")
    func narrow() throws {
        let report = HistoryReport(Sample.entries, names: Sample.names)
        let text = report.written(.text, TextStyle(width: 80))
        try expectGolden(text, "history-narrow.txt")
        #expect(!text.contains("…t") && text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test("an empty history has a message")
    func empty() {
        #expect(HistoryReport([]).written() == "No runs are recorded.\n")
        #expect(HistoryReport([], isFiltered: true).written(.markdown) == "No recorded run matches.\n")
    }

    @Test("the newest run comes first for any order of the input")
    func order() {
        let texts = [Sample.entries, Sample.entries.reversed()].map { HistoryReport($0).written() }
        #expect(texts[0] == texts[1])
        #expect(texts[0].split(separator: "\n").dropFirst().first?.contains("in doubt") == true)
    }

    @Test("a limit keeps the newest runs and counts the others")
    func limit() {
        let text = HistoryReport(Sample.entries, limit: 1).written()
        #expect(text.contains("in doubt"))
        #expect(text.contains("1 run: 1 in doubt, \(Sample.entries.count - 1) older runs not shown."))
    }

    @Test("Markdown leaves out the oldest runs beyond its maximum size and counts them")
    func bounded() {
        let entries = (0..<2000).map { index in
            LedgerEntry(
                run: Sample.run(
                    1, Sample.window(Timestamp(seconds: Int64(index)), .seconds(1)), .succeeded, id: "run-\(index)",
                    at: Timestamp(seconds: Int64(index))),
                updatedAt: Timestamp(milliseconds: 0))
        }
        let markdown = HistoryReport(entries).written(.markdown)
        #expect(markdown.utf8.count <= BoundedMarkdown.maxBytes)
        #expect(markdown.contains("run-1999"))
        #expect(markdown.contains("older runs left out"))
    }
}
