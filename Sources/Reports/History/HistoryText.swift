import FlowRuns
import Ledger
import Manifests

/// Recorded runs as a table, newest last.
package struct HistoryText: Sendable {
    private let style: TextStyle
    private let names: [FlowID: String]
    private let showsRequests: Bool

    /// - Parameters:
    ///   - names: the flows' names, as far as manifests tell them.
    ///   - showsRequests: whether each run's request and the answer to it are shown below it.
    package init(style: TextStyle, names: [FlowID: String] = [:], showsRequests: Bool = false) {
        self.style = style
        self.names = names
        self.showsRequests = showsRequests
    }

    /// Lines that each end in a line break.
    package func render(_ entries: [LedgerEntry]) -> String {
        guard !entries.isEmpty else { return "No runs are recorded.\n" }
        var table = TextTable(
            [
                .init("when (UTC)"), .init("flow", givesWay: true), .init("window from"), .init("length"),
                .init("state"), .init("run"), .init("attempt", givesWay: true),
                .init("declared by", givesWay: true),
            ], style: style)
        for entry in entries.newestLast {
            let run = entry.run
            table.add([
                .init(run.recordedAt.description), .init(names[run.flow] ?? run.flow.description),
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
        return table.render() + "\n\(counted(entries.count, "run")): \(states.joined(separator: ", ")).\n"
    }

    private func remarks(_ entry: LedgerEntry) -> [String] {
        var remarks: [String] = []
        if let failure = entry.run.failure { remarks.append(failure) }
        guard showsRequests else { return remarks }
        if let request = entry.request { remarks.append("sent: \(request)") }
        if let response = entry.response { remarks.append("answer: \(response)") }
        if let counts = entry.counts.text { remarks.append(counts) }
        if let ciRun = entry.provenance.ciRun { remarks.append("made by \(ciRun)") }
        return remarks
    }
}

extension [LedgerEntry] {
    /// By the time of their making; at one moment, in the ledger's order.
    var newestLast: [LedgerEntry] {
        sorted {
            $0.run.recordedAt == $1.run.recordedAt
                ? $0.run.identity.precedes($1.run.identity) : $0.run.recordedAt < $1.run.recordedAt
        }
    }
}

extension RunState {
    /// For people; the raw value is for machines.
    var inWords: String {
        switch self {
        case .intended: "claimed"
        case .accepted: "running"
        case .rejected: "refused"
        case .inDoubt: "in doubt"
        case .released: "released"
        case .succeeded: "succeeded"
        case .partial: "partial"
        case .failed: "failed"
        }
    }

    var tone: TextStyle.Tone {
        switch self {
        case .succeeded: .create
        case .failed, .rejected: .trouble
        case .partial, .inDoubt, .intended: .caution
        case .accepted: .rerun
        case .released: .quiet
        }
    }
}

extension RecordedRun {
    /// Empty for the first attempt at a window's ordinary run.
    var attemptText: String {
        let rerun = identity.rerun.map { "rerun \($0)" }
        return [rerun, identity.attempt > 1 ? "attempt \(identity.attempt)" : nil].compactMap(\.self).joined(
            separator: ", ")
    }
}

extension Provenance {
    /// `flows/crm.yaml:14 4f2c9ab Ada Lovelace`
    var text: String {
        let place = file.map { file in line.map { "\(file):\($0)" } ?? file }
        return [place, commit.map { String($0.prefix(9)) }, author].compactMap(\.self).joined(separator: " ")
    }
}

extension RunCounts {
    /// `100 records in, 99 out, 1 failed`; `nil` when the service told nothing.
    var text: String? {
        let words = [
            (inputFiles, "files in"), (inputRecords, "records in"), (outputRecords, "out"), (failedRecords, "failed"),
        ]
        let told = words.compactMap { count, word in count.map { "\(grouped(Int($0))) \(word)" } }
        return told.isEmpty ? nil : told.joined(separator: ", ")
    }
}
