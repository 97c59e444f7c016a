import FlowRuns

extension RunAnswer {
    /// What an answer to asking for a run means: the answers table of the design. The status alone decides, save that
    /// a success must bring the run's id.
    ///
    /// - Parameter now: stands in for the answer's `Date`, where `Retry-After` is a date.
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
                self = .unknown(reason: "\(answer.status), but the answer holds no run id", response: response)
            }
        case 401: self = .unauthorized(reason: answer.accessError(redaction))
        case 429: self = .throttled(retryAfter: answer.wait(now: now))
        // A gateway gave up waiting (408, 499), the request was perhaps a second one (409), or the answer is not the
        // service's own (3xx): none of it tells what became of the request.
        case 300..<400, 408, 409, 499: self = .unknown(reason: summary, response: response)
        case 400..<500: self = .refused(reason: summary, response: response)
        default: self = .unknown(reason: summary, response: response)
        }
    }

    /// What it means that no answer came.
    init(_ error: TransportError) {
        self = error.mayHaveArrived ? .unknown(reason: error.reason, response: nil) : .notSent(error.reason)
    }
}

extension JSONDocument {
    /// The id of the run that an answer tells of: the whole run or `{"id","etag"}`, or `{"items":[{"id","etag"}]}`.
    fileprivate var createdRun: RunID? { (self["id"].text ?? self["items"][0]["id"].text).flatMap { RunID($0) } }
}
