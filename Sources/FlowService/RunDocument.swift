import FlowRuns

/// Reads a run as `GET /runs` answers it.
struct RunDocument {
    let document: JSONDocument

    var flow: FlowID? { document["flowId"].text.flatMap { FlowID($0) } }

    /// `nil` without an id.
    var observed: ObservedRun? {
        guard let run = document["id"].text.flatMap({ RunID($0) }) else { return nil }
        return ObservedRun(
            id: run, window: window, createdAt: createdAt, createdClient: document["createdClient"].text,
            status: status, end: end, counts: counts)
    }

    private var metrics: JSONDocument { document["metrics"] }

    /// Spelled `activites` in the OpenAPI document.
    private var activities: [JSONDocument] {
        document["activities"].elements ?? document["activites"].elements ?? []
    }

    /// From `params`, else from whichever activity has it (the copy activity, under several names).
    private var window: Window? {
        let params = document["params"]
        let extensions = activities.map { $0["durationSummary"]["extensions"] }
        return window(params["windowStartTime"], params["windowEndTime"])
            ?? extensions.lazy.compactMap { window($0["windowStart"], $0["windowEnd"]) }.first
    }

    /// Seconds and milliseconds are told apart by their size. Milliseconds within a second belong to that second.
    private func window(_ start: JSONDocument, _ end: JSONDocument) -> Window? {
        guard let start = start.integer?.asTimestamp, let end = end.integer?.asTimestamp else { return nil }
        return Window(startSeconds: start.seconds, endSeconds: (end + .milliseconds(999)).seconds)
    }

    private var createdAt: Timestamp {
        let times = [document["createdAt"], document["updatedAt"], metrics["durationSummary"]["startedAtUTC"]]
        return times.lazy.compactMap { $0.integer?.asTimestamp }.first ?? Timestamp(seconds: 0)
    }

    private var status: String { metrics["statusSummary"]["status"].text ?? document["status"].text ?? "unknown" }

    /// A run can say `success`, and still have errors and failed records beside it.
    private var end: RunEnd? {
        let isWhole = errors.isEmpty && recordErrors.isEmpty && (counts.failedRecords ?? 0) == 0
        switch status.lowercased() {
        case "success" where isWhole: return RunEnd(state: .succeeded)
        case "success", "partialsuccess": return RunEnd(state: .partial, failure: failure)
        case "failed": return RunEnd(state: .failed, failure: failure)
        default: return nil
        }
    }

    /// The run's own, else those of its activities.
    private var errors: [JSONDocument] {
        let own = metrics["statusSummary"]["errors"].elements ?? []
        return own.isEmpty ? activities.flatMap { $0["statusSummary"]["errors"].elements ?? [] } : own
    }

    /// Why records failed: the monitoring tutorial's promotion activity tells it in its extensions, in more detail than
    /// the run's own errors.
    private var recordErrors: [JSONDocument] {
        activities.flatMap { $0["statusSummary"]["extensions"]["errors"].elements ?? [] }
    }

    /// The codes and messages of the errors, and how many records failed where no error says more.
    private var failure: String? {
        var seen: Set<String> = []
        let words = (errors + recordErrors).compactMap { error -> String? in
            let code = error["code"].text ?? error["code"].integer.map { String($0) }
            let count = error["recordCount"].integer.map { "(\($0) records)" }
            let message = [error["message"].text, count].compactMap(\.self).joined(separator: " ")
            let words = [code, message].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ").singleLine
            return words.isEmpty || !seen.insert(words).inserted ? nil : words.bounded(to: 300)
        }
        if words.isEmpty { return counts.failedRecords.flatMap { $0 > 0 ? "\($0) records failed" : nil } }
        let more = words.count > 5 ? "; and \(words.count - 5) more" : ""
        return words.prefix(5).joined(separator: "; ") + more
    }

    private var counts: RunCounts {
        let records = metrics["recordSummary"]
        return RunCounts(
            inputRecords: records["inputRecordCount"].integer, outputRecords: records["outputRecordCount"].integer,
            failedRecords: records["failedRecordCount"].integer,
            inputFiles: metrics["fileSummary"]["inputFileCount"].integer)
    }
}

extension Int64 {
    /// Of a time in either unit. As seconds, 10^11 is the year 5138; as milliseconds, it is March 1973: the service has
    /// data of neither. (The tutorial's own sample ends in the year 2493, which has 11 digits.)
    fileprivate var asTimestamp: Timestamp {
        magnitude < 100_000_000_000 ? Timestamp(seconds: self) : Timestamp(milliseconds: self)
    }
}
