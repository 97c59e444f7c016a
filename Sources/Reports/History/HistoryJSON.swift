import FlowRuns
import Ledger
import Text

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
