import FlowRuns
import FlowService

/// A run decoded from an answer to `GET /runs`.
struct RunDocument {
    let document: JSONDocument
    /// The time of the listing, which is an upper bound of the run's creation time. Used if `createdAt` is missing.
    let listedAt: Timestamp

    var flow: FlowID? { document["flowId"].text.flatMap { FlowID($0) } }

    /// The decoded run; `nil` if the document has no `id`.
    var observed: ObservedRun? {
        guard let id = document["id"].text.flatMap({ RunID($0) }) else { return nil }
        let client = document["createdClient"].text.flatMap { $0.isEmpty ? nil : $0 }
        return ObservedRun(
            id: id, window: window, createdAt: createdAt, createdClient: client, status: status, end: end,
            endedAt: metrics["durationSummary"]["completedAtUTC"].integer.flatMap { $0 > 0 ? $0.asTimestamp : nil },
            counts: counts)
    }

    /// The decoded run and its flow; `nil` if the document has no `id`.
    var listed: ListedRun? { observed.map { ListedRun(flow: flow, run: $0) } }

    private var metrics: JSONDocument { document["metrics"] }

    /// The run's activities. The OpenAPI document spells the key `activites`.
    private var activities: [JSONDocument] {
        (document["activities"].elements ?? []) + (document["activites"].elements ?? [])
    }

    /// The window from `params`, or else from the first activity that contains a window. The copy activity has several
    /// names. Activities always use milliseconds.
    private var window: Window? {
        let params = document["params"]
        let extensions = activities.map { $0["durationSummary"]["extensions"] }
        return window(params["windowStartTime"].integer?.asTimestamp, params["windowEndTime"].integer?.asTimestamp)
            ?? extensions.lazy.compactMap { extensions in
                window(extensions["windowStart"].milliseconds, extensions["windowEnd"].milliseconds)
            }.first
    }

    /// Builds a window in whole seconds: rounds the start down and the end up.
    private func window(_ start: Timestamp?, _ end: Timestamp?) -> Window? {
        guard let start, let end else { return nil }
        return Window(startSeconds: start.seconds, endSeconds: (end + .milliseconds(999)).seconds)
    }

    /// The creation time, or else another time in the document that is not earlier. An earlier time would end the
    /// reading of the newest runs too soon.
    private var createdAt: Timestamp {
        let times = [document["createdAt"], document["updatedAt"], metrics["durationSummary"]["startedAtUTC"]]
        return times.lazy.compactMap { $0.integer?.asTimestamp }.first ?? listedAt
    }

    private var status: String { metrics["statusSummary"]["status"].text ?? document["status"].text ?? "unknown" }

    /// The run's end, if its status is final. A run with the status `success` can still contain errors and failed
    /// records.
    private var end: RunEnd? {
        let isWhole = errors.isEmpty && recordErrors.isEmpty && (counts.failedRecords ?? 0) == 0
        switch status.lowercased() {
        case "success" where isWhole: return RunEnd(state: .succeeded)
        case "success", "partialsuccess": return RunEnd(state: .partial, failure: failure)
        case "failed": return RunEnd(state: .failed, failure: failure)
        case "cancelled", "canceled", "aborted":
            return RunEnd(state: .failed, failure: failure.map { "\(status): \($0)" } ?? status)
        default: return nil
        }
    }

    /// The run's own errors, or else those of its activities.
    private var errors: [JSONDocument] {
        let own = metrics["statusSummary"]["errors"].elements ?? []
        return own.isEmpty ? activities.flatMap { $0["statusSummary"]["errors"].elements ?? [] } : own
    }

    /// Errors of individual records, from the extensions of the activities' status (the promotion activity, in the
    /// monitoring tutorial). They are more detailed than the run's own errors.
    private var recordErrors: [JSONDocument] {
        activities.flatMap { $0["statusSummary"]["extensions"]["errors"].elements ?? [] }
    }

    /// The codes and messages of the errors, or else the number of failed records.
    private var failure: String? {
        var seen: Set<String> = []
        let words = (errors + recordErrors).compactMap { error -> String? in
            let code = error["code"].text ?? error["code"].integer.map { String($0) }
            let count = error["recordCount"].count.map { "(\(records($0)))" }
            let message = [error["message"].text, count].compactMap(\.self).joined(separator: " ")
            let words = [code, message].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ").singleLine
            return words.isEmpty || !seen.insert(words).inserted ? nil : words.bounded(to: 300)
        }
        if words.isEmpty { return counts.failedRecords.flatMap { $0 > 0 ? "\(records($0)) failed" : nil } }
        let more = words.count > 5 ? "; and \(words.count - 5) more" : ""
        return words.prefix(5).joined(separator: "; ") + more
    }

    private func records(_ count: Int64) -> String { count == 1 ? "1 record" : "\(count) records" }

    private var counts: RunCounts {
        let records = metrics["recordSummary"]
        return RunCounts(
            inputRecords: records["inputRecordCount"].count, outputRecords: records["outputRecordCount"].count,
            failedRecords: records["failedRecordCount"].count,
            inputFiles: metrics["fileSummary"]["inputFileCount"].count)
    }
}

extension JSONDocument {
    /// A non-negative count. The service writes `-1` for an unknown count.
    fileprivate var count: Int64? { integer.flatMap { $0 < 0 ? nil : $0 } }
    fileprivate var milliseconds: Timestamp? { integer.map { Timestamp(milliseconds: $0) } }
}

extension Int64 {
    /// The time from a number in seconds or milliseconds. As seconds, 10^11 is the year 5138; as milliseconds, it is
    /// March 1973. The service has data from neither. (The tutorial's own sample ends in the year 2493, which has 11
    /// digits.)
    fileprivate var asTimestamp: Timestamp {
        magnitude < 100_000_000_000 ? Timestamp(seconds: self) : Timestamp(milliseconds: self)
    }
}
