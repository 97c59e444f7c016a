import FlowRuns
import Ledger
import Manifests
import Text

/// Recorded runs, newest first: their declarations, requests and responses.
package struct HistoryReport: Sendable {
    let entries: [LedgerEntry]
    /// The names of the flows, if manifests contain them.
    let names: [FlowID: String]
    /// The number of records that the manifests expect in each run, by flow.
    let expectations: [FlowID: Expectation]
    /// Whether the request and the response of each run are shown.
    let showsRequests: Bool
    /// The number of older runs beyond the limit.
    let leftOut: Int
    /// Whether a filter has excluded recorded runs.
    let isFiltered: Bool

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - entries: The runs to show.
    ///   - names: The names of the flows.
    ///   - expectations: The expected numbers of records, by flow.
    ///   - limit: The maximum number of runs, of which the newest are kept; `nil` keeps all.
    ///   - showsRequests: Whether to show the request and the response of each run.
    ///   - isFiltered: Whether a filter has removed runs, so that an empty list does not mean an empty ledger.
    package init(
        _ entries: [LedgerEntry], names: [FlowID: String] = [:], expectations: [FlowID: Expectation] = [:],
        limit: Int? = nil, showsRequests: Bool = false,
        isFiltered: Bool = false
    ) {
        self.entries = Array(entries.newestFirst.prefix(limit ?? .max))
        leftOut = entries.count - self.entries.count
        self.names = names
        self.expectations = expectations
        self.showsRequests = showsRequests
        self.isFiltered = isFiltered
    }

    /// The message for a report without runs.
    var emptyText: String { isFiltered ? "No recorded run matches." : "No runs are recorded." }

    /// Describes a lack of records in a run that ended well; returns `nil` if there are enough.
    func shortfall(of entry: LedgerEntry) -> String? {
        guard entry.run.state == .succeeded || entry.run.state == .partial, let records = entry.run.records else {
            return nil
        }
        return expectations[entry.run.flow]?.shortfall(of: records)
    }

    func title(of flow: FlowID) -> String { names[flow] ?? flow.description }
}

extension HistoryReport: Report {
    package static let renderings: [Rendering<HistoryReport>] = [
        .text { report, style in report.lines(style) },
        .json { report, json, handOver in json.members(of: report, handOver) },
        .markdown { report in report.markdown },
    ]
}

extension [LedgerEntry] {
    /// The entries sorted by creation time, newest first; ties in reverse ledger order.
    fileprivate var newestFirst: [LedgerEntry] {
        sorted {
            $0.run.recordedAt == $1.run.recordedAt
                ? $1.run.identity < $0.run.identity : $0.run.recordedAt > $1.run.recordedAt
        }
    }
}

extension RecordedRun {
    /// The rerun and the number of the attempt; empty for the first attempt of a window's ordinary run.
    var attemptText: String {
        let rerun = identity.rerun.map { "rerun \($0)" }
        return [rerun, identity.attempt > 1 ? "attempt \(identity.attempt)" : nil].compactMap(\.self).joined(
            separator: ", ")
    }
}

extension Provenance {
    /// The file, line, commit and author, such as `flows/crm.yaml:14 4f2c9ab Ada Lovelace`.
    var text: String {
        let place = file.map { file in line.map { "\(file):\($0)" } ?? file }
        return [place, commit.map { String($0.prefix(9)) }, author].compactMap(\.self).joined(separator: " ")
    }
}

extension HistoryReport {
    /// Formats the runs as a table if the terminal is wide enough, otherwise as one block per run.
    func lines(_ style: TextStyle) -> [StyledText] {
        guard !entries.isEmpty else { return style.lines(emptyText) }
        let table = table(style)
        let runs = table.fits ? table.lines : entries.flatMap { block($0, style) }
        let states = RunState.allCases.compactMap { state in
            let count = entries.count { $0.run.state == state }
            return count > 0 ? "\(grouped(count)) \(state.inWords)" : nil
        }
        let rest = leftOut > 0 ? ", \(counted(leftOut, "older run")) not shown" : ""
        return runs + .blank
            + style.lines("\(counted(entries.count, "run")): \(states.joined(separator: ", "))\(rest).")
    }

    private func table(_ style: TextStyle) -> TextTable {
        var table = TextTable(
            [
                .init("when (UTC)"), .init("flow"), .init("window from"), .init("length"), .init("state"), .init("run"),
                .init("attempt"), .init("declared by"),
            ], style: style)
        for entry in entries {
            let run = entry.run
            table.add([
                .init(run.recordedAt.description), .init(title(of: run.flow)),
                .init(run.window.map { $0.start.description } ?? "unknown"),
                .init(run.window.map { spanText($0.length) } ?? ""),
                .init(run.state.inWords, run.state.tone), .init(run.id?.description ?? ""),
                .init(run.attemptText), .init(entry.declaredBy),
            ])
            for remark in remarks(entry) { table.addRemark(remark) }
        }
        return table
    }

    private func block(_ entry: LedgerEntry, _ style: TextStyle) -> [StyledText] {
        let run = entry.run
        let attempt = run.attemptText.isEmpty ? "" : ", \(run.attemptText)"
        let state = style.paint("\(run.state.inWords)\(attempt)", run.state.tone)
        let head: StyledText = "\(style.paint(title(of: run.flow), .strong)) \(state)"
        let details = [
            run.id.map { "run \($0)" }, "recorded \(run.recordedAt)", entry.declaredBy.isEmpty ? nil : entry.declaredBy,
        ].compactMap(\.self)
        return style.nextToOrBelow(head, text: run.window?.text(style.ellipsis) ?? "unknown window")
            + details.flatMap { style.lines($0, .quiet, indent: 4) }
            + remarks(entry).flatMap { style.lines($0, .plain, indent: 4) }
    }

    private func remarks(_ entry: LedgerEntry) -> [String] {
        var remarks: [String] = []
        if let shortfall = shortfall(of: entry) { remarks.append(shortfall) }
        if let reason = entry.provenance.reason { remarks.append("rerun because: \(reason)") }
        if let failure = entry.run.failure { remarks.append(failure) }
        guard showsRequests else { return remarks }
        if let request = entry.request { remarks.append("sent: \(request)") }
        if let response = entry.response { remarks.append("answer: \(response)") }
        if let counts = entry.counts.text { remarks.append(counts) }
        if let ciRun = entry.provenance.ciRun { remarks.append("made by \(ciRun)") }
        return remarks
    }
}

extension LedgerEntry {
    fileprivate var declaredBy: String { run.origin == .service ? "found on the service" : provenance.text }
}

extension RunCounts {
    /// The counts in words, such as `100 records in, 99 out, 1 failed`; `nil` if the service reported none.
    fileprivate var text: String? {
        let counts = [
            (inputFiles, "file in", "files in"), (inputRecords, "record in", "records in"),
            (outputRecords, "out", "out"), (failedRecords, "failed", "failed"),
        ]
        let descriptions = counts.compactMap { count, one, more in count.map { counted(Int($0), one, more) } }
        return descriptions.isEmpty ? nil : descriptions.joined(separator: ", ")
    }
}

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

extension JSONText {
    /// Writes the runs newest first, with one run per line.
    mutating func members(of report: HistoryReport, _ handOver: (inout JSONText) -> Void) {
        member("formatVersion", 2)
        array("runs") { json in
            for entry in report.entries {
                json.line { $0.members(of: entry, in: report) }
                if json.isLarge { handOver(&json) }
            }
        }
    }

    private mutating func members(of entry: LedgerEntry, in report: HistoryReport) {
        member("flowId", entry.run.flow.description)
        optional("flowName", report.names[entry.run.flow])
        members(of: entry.run)
        time("updatedAt", entry.updatedAt)
        detailColumns.write(RunRow(entry), to: &self, objects: ["counts": "counts"])
        if report.shortfall(of: entry) != nil {
            optional("minimumRecords", report.expectations[entry.run.flow]?.minimumRecords)
        }
        declaration(of: entry)
    }

    /// Writes where and by whom a run was declared.
    mutating func declaration(of entry: LedgerEntry) {
        provenanceColumns.write(RunRow(entry), to: &self, objects: ["provenance": "declaredBy"])
    }
}

private let detailColumns = LineColumns(RunColumns.detail.filter { $0.key != "updatedAt" })
private let provenanceColumns = LineColumns(RunColumns.provenance)
