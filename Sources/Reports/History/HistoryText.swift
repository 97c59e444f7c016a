import FlowRuns
import Ledger

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
