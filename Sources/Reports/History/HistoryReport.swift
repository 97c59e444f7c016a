import FlowRuns
import Ledger
import Manifests

/// Recorded runs, newest first: what was declared, sent and answered.
package struct HistoryReport: Sendable {
    let entries: [LedgerEntry]
    /// The flows' names, as far as manifests tell them.
    let names: [FlowID: String]
    /// What the flows' manifests expect of each run.
    let expectations: [FlowID: Expectation]
    /// Whether each run's request and the answer to it are shown below it.
    let showsRequests: Bool
    /// How many older runs a limit leaves out.
    let leftOut: Int
    /// Whether some recorded runs were left out on request.
    let isFiltered: Bool

    /// - Parameter limit: only the newest so many.
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

    /// Where there is nothing to show.
    var emptyText: String { isFiltered ? "No recorded run matches." : "No runs are recorded." }

    /// That a run which ended well brought fewer records than expected; `nil` where that is not so.
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
    /// By the time of their making; at one moment, in the reverse of the ledger's order.
    fileprivate var newestFirst: [LedgerEntry] {
        sorted {
            $0.run.recordedAt == $1.run.recordedAt
                ? $1.run.identity.precedes($0.run.identity) : $0.run.recordedAt > $1.run.recordedAt
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
        case .succeeded: .good
        case .failed, .rejected: .error
        case .partial, .inDoubt, .intended: .warning
        case .accepted: .active
        case .released: .quiet
        }
    }

    /// Can be told from the others without its colour.
    var sign: String {
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
