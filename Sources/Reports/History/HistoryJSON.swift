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
        members(of: entry.run)
        member("recordedAtUTC", entry.run.recordedAt.description)
        member("updatedAt", entry.updatedAt.milliseconds)
        optional("status", entry.status)
        optional("request", entry.request)
        optional("response", entry.response)
        object("counts") {
            $0.optional("inputRecords", entry.counts.inputRecords)
            $0.optional("outputRecords", entry.counts.outputRecords)
            $0.optional("failedRecords", entry.counts.failedRecords)
            $0.optional("inputFiles", entry.counts.inputFiles)
        }
        if report.shortfall(of: entry) != nil {
            optional("minimumRecords", report.expectations[entry.run.flow]?.minimumRecords)
        }
        object("declaredBy") {
            $0.optional("file", entry.provenance.file)
            $0.optional("line", entry.provenance.line.map(Int64.init))
            $0.optional("commit", entry.provenance.commit)
            $0.optional("author", entry.provenance.author)
            $0.optional("ciRun", entry.provenance.ciRun)
            $0.optional("reason", entry.provenance.reason)
        }
    }
}
