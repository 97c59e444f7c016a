import FlowRuns
import Text

/// Writes runs as the service does: as the answer to `POST /runs` (on-demand tutorial) and in lists (monitoring
/// tutorial).
struct RunAnswers: Hashable, Sendable {
    let configuration: SandboxConfiguration
    let now: Timestamp

    /// The answer to `POST /runs`, in the shape that is configured.
    func created(_ run: SimulatedRun) -> String {
        switch configuration.answerShape {
        case .wholeRun:
            var json = JSONText()
            json.object {
                writeHead(of: run, at: .scheduled, to: &$0)
                if let parameters = run.parameters { $0.object("params") { parameters.write(to: &$0) } }
                $0.member("etag", run.etag(at: .scheduled))
                $0.object("metrics") { $0.object("statusSummary") { $0.member("status", "scheduled") } }
                $0.array("activities") { _ in }
            }
            return json.text
        case .items:
            var json = JSONText()
            json.object { $0.array("items") { $0.element(json: idAndEtag(run)) } }
            return json.text
        case .idOnly:
            return idAndEtag(run)
        }
    }

    /// `{"id","etag"}`: what a re-trigger answers.
    func idAndEtag(_ run: SimulatedRun) -> String {
        var json = JSONText()
        json.object {
            $0.member("id", run.id)
            $0.member("etag", run.etag(at: .scheduled))
        }
        return json.text
    }

    /// A run in a list.
    func listed(_ run: SimulatedRun, of flow: SimulatedFlow?) -> String {
        let stage = run.stage(at: now, pace: configuration.pace)
        var json = JSONText()
        json.object {
            writeHead(of: run, at: stage, to: &$0)
            if let flow {
                $0.object("flowSpec") {
                    $0.member("id", flow.specification.id)
                    $0.member("version", "1.0")
                }
            }
            $0.member("providerRefId", Seed(value: stableHash(run.id)).uuid(.runID, 1))
            if configuration.listedWindows == .parameters, let parameters = run.parameters {
                $0.object("params") { parameters.write(to: &$0) }
            }
            $0.member("etag", run.etag(at: stage))
            $0.object("metrics") { writeMetrics(of: run, at: stage, to: &$0) }
            $0.array("activities") {
                switch stage {
                case .scheduled: break
                case .inProgress: $0.element { writeCopy(of: run, at: stage, to: &$0) }
                case .ended:
                    $0.element { writeCopy(of: run, at: stage, to: &$0) }
                    if run.outcome != .failed { $0.element { writePromotion(of: run, at: stage, to: &$0) } }
                }
            }
        }
        return json.text
    }

    private func writeHead(of run: SimulatedRun, at stage: SimulatedRun.Stage, to json: inout JSONText) {
        json.member("id", run.id)
        json.member("createdAt", run.createdAt.milliseconds)
        json.member("updatedAt", run.updatedAt(stage).milliseconds)
        configuration.writeOwners(to: &json)
        json.member("flowId", run.flow.description)
    }

    private func writeMetrics(of run: SimulatedRun, at stage: SimulatedRun.Stage, to json: inout JSONText) {
        writeDuration(at: stage, window: nil, to: &json)
        if case .ended = stage {
            writeSizes(of: run, to: &json)
            writeRecords(of: run, to: &json)
            json.object("fileSummary") {
                writeFiles(of: run, to: &$0)
                writeActivityReference(of: run, to: &$0)
            }
        }
        json.object("statusSummary") {
            $0.member("status", run.status(at: stage))
            if case .ended = stage {
                writeErrors(of: run, to: &$0)
                writeActivityReference(of: run, to: &$0)
            }
        }
    }

    /// Which activity had the last word.
    private func writeActivityReference(of run: SimulatedRun, to json: inout JSONText) {
        json.array("activityRefs") { $0.element(run.outcome == .failed ? "copyActivity" : "promotionActivity") }
    }

    private func writeCopy(of run: SimulatedRun, at stage: SimulatedRun.Stage, to json: inout JSONText) {
        json.member("id", "copyActivity")
        json.member("updatedAtUTC", run.updatedAt(stage).milliseconds)
        writeDuration(at: stage, window: configuration.listedWindows == .unknown ? nil : run.window, to: &json)
        if case .ended = stage {
            writeSizes(of: run, to: &json)
            json.object("recordSummary") { _ in }
            json.object("fileSummary") { writeFiles(of: run, to: &$0) }
        }
        json.object("statusSummary") {
            $0.member("status", run.status(at: stage))
            if case .ended = stage, run.outcome == .failed { writeErrors(of: run, to: &$0) }
            $0.object("extensions") { $0.member("type", "one-time") }
        }
        json.array("sourceInfo") {
            $0.element { writeReference("SourceConnection", "AdfRunId", of: run, to: &$0) }
        }
    }

    private func writePromotion(of run: SimulatedRun, at stage: SimulatedRun.Stage, to json: inout JSONText) {
        json.member("id", "promotionActivity")
        json.member("updatedAtUTC", run.updatedAt(stage).milliseconds)
        writeDuration(at: stage, window: nil, to: &json)
        writeSizes(of: run, to: &json)
        writeRecords(of: run, to: &json)
        json.object("fileSummary") { writeFiles(of: run, to: &$0) }
        json.object("statusSummary") {
            $0.member("status", "success")
            writeErrors(of: run, to: &$0)
            $0.object("extensions") { if run.outcome == .partial { writeFailedRecords(of: run, to: &$0) } }
        }
        json.array("targetInfo") { $0.element { writeReference("TargetConnection", "Batch", of: run, to: &$0) } }
    }

    private func writeDuration(at stage: SimulatedRun.Stage, window: Window?, to json: inout JSONText) {
        let (began, ended): (Timestamp, Timestamp?)
        switch stage {
        case .scheduled: return
        case .inProgress(let start): (began, ended) = (start, nil)
        case .ended(let start, let end): (began, ended) = (start, end)
        }
        json.object("durationSummary") {
            $0.member("startedAtUTC", began.milliseconds)
            if let ended { $0.member("completedAtUTC", ended.milliseconds) }
            if let window {
                $0.object("extensions") {
                    $0.member("windowStart", window.start.milliseconds)
                    $0.member("windowEnd", window.end.milliseconds)
                }
            }
        }
    }

    private func writeSizes(of run: SimulatedRun, to json: inout JSONText) {
        let (read, failed) = run.records
        json.object("sizeSummary") {
            $0.member("inputBytes", read * 240)
            $0.member("outputBytes", (read - failed) * 172)
        }
    }

    private func writeRecords(of run: SimulatedRun, to json: inout JSONText) {
        let (read, failed) = run.records
        json.object("recordSummary") {
            $0.member("inputRecordCount", read)
            $0.member("outputRecordCount", read - failed)
            $0.member("failedRecordCount", failed)
        }
    }

    private func writeFiles(of run: SimulatedRun, to json: inout JSONText) {
        json.member("inputFileCount", run.outcome == .empty ? 0 : 1)
        json.member("outputFileCount", run.outcome.mayBeTriggeredAgain ? 0 : 1)
    }

    private func writeErrors(of run: SimulatedRun, to json: inout JSONText) {
        let error: (code: String, message: String)
        switch run.outcome {
        case .success, .empty: return
        case .partial:
            error = ("CONNECTOR-2001-500", "\(run.records.failed) records could not be ingested.")
        case .failed: error = ("CONNECTOR-2001-500", "The source could not be read: the connection was lost.")
        }
        json.array("errors") {
            $0.element {
                $0.member("code", error.code)
                $0.member("message", error.message)
            }
        }
    }

    /// Where the records are that failed, and why they did.
    private func writeFailedRecords(of run: SimulatedRun, to json: inout JSONText) {
        let batch = Seed(value: stableHash(run.id)).uuid(.runID, 3)
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

    private func writeReference(_ type: String, _ kind: String, of run: SimulatedRun, to json: inout JSONText) {
        let seed = Seed(value: stableHash(run.id))
        json.member("id", seed.uuid(.runID, 2))
        json.member("type", type)
        json.object("reference") {
            $0.member("type", kind)
            $0.array("ids") { $0.element(seed.uuid(.runID, 3)) }
        }
    }
}
