import FlowRuns
import Ledger

extension HistoryReport {
    /// A table for a terminal.
    func lines(_ style: TextStyle) -> [StyledText] {
        guard !entries.isEmpty else { return style.lines(emptyText) }
        var table = TextTable(
            [
                .init("when (UTC)"), .init("flow", givesWay: true), .init("window from"), .init("length"),
                .init("state"), .init("run"), .init("attempt", givesWay: true),
                .init("declared by", givesWay: true),
            ], style: style)
        for entry in entries {
            let run = entry.run
            table.add([
                .init(run.recordedAt.description), .init(title(of: run.flow)),
                .init(run.window.map { $0.start.description } ?? "unknown"),
                .init(run.window.map { spanText($0.length) } ?? ""),
                .init(run.state.inWords, run.state.tone), .init(run.id?.description ?? ""),
                .init(run.attemptText), .init(run.origin == .service ? "found on the service" : entry.provenance.text),
            ])
            for remark in remarks(entry) { table.addRemark(remark) }
        }
        let states = RunState.allCases.compactMap { state in
            let count = entries.count { $0.run.state == state }
            return count > 0 ? "\(grouped(count)) \(state.inWords)" : nil
        }
        let rest = leftOut > 0 ? ", \(counted(leftOut, "older run")) not shown" : ""
        return table.lines + .blank
            + style.lines("\(counted(entries.count, "run")): \(states.joined(separator: ", "))\(rest).")
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

extension RunCounts {
    /// `100 records in, 99 out, 1 failed`; `nil` when the service told nothing.
    fileprivate var text: String? {
        let counts = [
            (inputFiles, "file in", "files in"), (inputRecords, "record in", "records in"),
            (outputRecords, "out", "out"), (failedRecords, "failed", "failed"),
        ]
        let told = counts.compactMap { count, one, more in count.map { counted(Int($0), one, more) } }
        return told.isEmpty ? nil : told.joined(separator: ", ")
    }
}
