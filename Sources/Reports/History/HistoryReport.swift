import FlowRuns
import Ledger
import Manifests

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
