import FlowRuns
import Ledger
import Text

extension JSONText {
    /// Writes the runs newest first, with one run per line.
    mutating func members(of report: HistoryReport, _ handOver: (inout JSONText) -> Void) {
        member("formatVersion", 1)
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
        members(of: entry, historyColumns, objects: ["counts": "counts", "provenance": "declaredBy"])
        member("recordedAtUTC", entry.run.recordedAt.description)
        if report.shortfall(of: entry) != nil {
            optional("minimumRecords", report.expectations[entry.run.flow]?.minimumRecords)
        }
    }
}

/// The columns of a run in a history: all but those of its window, which has a form for people too, and its claim.
let historyColumns = LineColumns(
    RunColumns.occurrence + RunColumns.state + RunColumns.detail + RunColumns.provenance)
