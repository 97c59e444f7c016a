import FlowRuns
import Text

/// The `metrics` and `activities` of a run, as in the monitoring tutorial.
struct RunMetrics {
    let run: SimulatedRun
    let stage: SimulatedRun.Stage
    /// The window in the copy activity; `nil` omits the window.
    let window: Window?

    func write(to json: inout JSONText) {
        json.object("metrics") { writeMetrics(to: &$0) }
        json.array("activities") {
            guard stage != .scheduled else { return }
            $0.element { writeCopy(to: &$0) }
            guard stage == .ended, run.outcome != .failed else { return }
            $0.element { writePromotion(to: &$0) }
        }
    }

    private var status: String { stage == .ended ? run.status(at: run.endsAt) : run.status(at: run.startsAt) }
    private var updatedAt: Timestamp { stage == .ended ? run.endsAt : run.startsAt }

    private func writeMetrics(to json: inout JSONText) {
        writeDuration(window: nil, to: &json)
        if stage == .ended {
            writeSizes(to: &json)
            writeRecords(to: &json)
            json.object("fileSummary") {
                writeFiles(to: &$0)
                writeActivityReference(to: &$0)
            }
        }
        json.object("statusSummary") {
            $0.member("status", stage == .scheduled ? "scheduled" : status)
            guard stage == .ended else { return }
            writeErrors(to: &$0)
            writeActivityReference(to: &$0)
        }
    }

    /// Writes a reference to the last activity of the run.
    private func writeActivityReference(to json: inout JSONText) {
        json.array("activityRefs") { $0.element(run.outcome == .failed ? "copyActivity" : "promotionActivity") }
    }

    private func writeCopy(to json: inout JSONText) {
        json.member("id", "copyActivity")
        json.member("updatedAtUTC", updatedAt.milliseconds)
        writeDuration(window: window, to: &json)
        if stage == .ended {
            writeSizes(to: &json)
            json.object("recordSummary") { _ in }
            json.object("fileSummary") { writeFiles(to: &$0) }
        }
        json.object("statusSummary") {
            $0.member("status", status)
            if stage == .ended, run.outcome == .failed { writeErrors(to: &$0) }
            $0.object("extensions") { $0.member("type", "one-time") }
        }
        json.array("sourceInfo") { $0.element { writeReference("SourceConnection", "AdfRunId", to: &$0) } }
    }

    private func writePromotion(to json: inout JSONText) {
        json.member("id", "promotionActivity")
        json.member("updatedAtUTC", updatedAt.milliseconds)
        writeDuration(window: nil, to: &json)
        writeSizes(to: &json)
        writeRecords(to: &json)
        json.object("fileSummary") { writeFiles(to: &$0) }
        json.object("statusSummary") {
            $0.member("status", "success")
            writeErrors(to: &$0)
            $0.object("extensions") { if run.outcome == .partial { writeFailedRecords(to: &$0) } }
        }
        json.array("targetInfo") { $0.element { writeReference("TargetConnection", "Batch", to: &$0) } }
    }

    private func writeDuration(window: Window?, to json: inout JSONText) {
        guard stage != .scheduled else { return }
        json.object("durationSummary") {
            $0.member("startedAtUTC", run.startsAt.milliseconds)
            if stage == .ended { $0.member("completedAtUTC", run.endsAt.milliseconds) }
            guard let window else { return }
            $0.object("extensions") {
                $0.member("windowStart", window.start.milliseconds)
                $0.member("windowEnd", window.end.milliseconds)
            }
        }
    }

    private func writeSizes(to json: inout JSONText) {
        let (read, failed) = run.records
        json.object("sizeSummary") {
            $0.member("inputBytes", read * 240)
            $0.member("outputBytes", (read - failed) * 172)
        }
    }

    private func writeRecords(to json: inout JSONText) {
        let (read, failed) = run.records
        json.object("recordSummary") {
            $0.member("inputRecordCount", read)
            $0.member("outputRecordCount", read - failed)
            $0.member("failedRecordCount", failed)
        }
    }

    private func writeFiles(to json: inout JSONText) {
        json.member("inputFileCount", run.outcome == .empty ? 0 : 1)
        json.member("outputFileCount", run.outcome.canBeRetriggered ? 0 : 1)
    }

    private func writeErrors(to json: inout JSONText) {
        let message: String
        switch run.outcome {
        case .success, .empty: return
        case .partial: message = "\(run.records.failed) records could not be ingested."
        case .failed: message = "The source could not be read: the connection was lost."
        }
        json.array("errors") {
            $0.element {
                $0.member("code", "CONNECTOR-2001-500")
                $0.member("message", message)
            }
        }
    }

    /// Writes the URLs of the failed records, and the reason why the records failed.
    private func writeFailedRecords(to json: inout JSONText) {
        let batch = run.relatedID("Batch")
        let address = "https://platform.adobe.io/data/foundation/export/batches/\(batch)/meta?path="
        json.object("manifest") {
            $0.member("failedRecords", address + "row_errors")
            $0.member("sampleErrors", address + "row_errors_sample.json")
        }
        json.array("errors") {
            $0.element {
                $0.member("code", "MAPPER-3700-400")
                $0.member("recordCount", run.records.failed)
                $0.member("message", "The record could not be mapped to the target schema.")
            }
        }
    }

    private func writeReference(_ type: String, _ kind: String, to json: inout JSONText) {
        json.member("id", run.relatedID(type))
        json.member("type", type)
        json.object("reference") {
            $0.member("type", kind)
            $0.array("ids") { $0.element(run.relatedID(kind)) }
        }
    }
}
