import FlowRuns
import FlowService

extension RunAnswer {
    /// Classifies the answer to a run request. Only the status decides, except that a success must contain the run's
    /// ID.
    ///
    /// - Parameter now: the time to use in place of a missing `Date` when `Retry-After` is a date.
    init(_ answer: HTTPAnswer, now: Timestamp, redaction: Redaction) {
        var summary: String { answer.summary(redaction) }
        let response = redaction(answer.text)
        switch answer.status {
        case 200..<300:
            if let flaw = answer.flaw {
                self = .unknown(reason: "\(answer.status), but \(flaw)", response: response)
            } else if let run = JSONDocument(answer.body).createdRun {
                self = .accepted(run, response: response)
            } else {
                self = .unknown(reason: "the service answered \(answer.status) without a run ID", response: response)
            }
        case 401: self = .unauthorized(reason: answer.accessError(redaction))
        case 429: self = .throttled(retryAfter: answer.wait(now: now))
        // A gateway timed out (408, 499), the request may be a duplicate (409), or the answer does not come from the
        // service (3xx). In each case the service may have accepted the request.
        case 300..<400, 408, 409, 499: self = .unknown(reason: summary, response: response)
        case 400..<500: self = .refused(reason: summary, response: response)
        default: self = .unknown(reason: summary, response: response)
        }
    }

    /// Classifies a request that received no answer.
    init(_ error: TransportError) {
        self = error.couldHaveArrived ? .unknown(reason: error.reason, response: nil) : .notSent(error.reason)
    }
}

extension JSONDocument {
    /// The ID of the created run, from `{"id",…}` or `{"items":[{"id","etag"}]}`.
    fileprivate var createdRun: RunID? { (self["id"].text ?? self["items"][0]["id"].text).flatMap { RunID($0) } }
}
