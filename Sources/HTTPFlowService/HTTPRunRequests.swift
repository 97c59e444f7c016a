import FlowRuns
import FlowService
import Text

/// Run requests. Each is sent once, and once more with a new token if the first was answered with 401.
extension HTTPFlowService {
    package func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        await requestRun("/runs", query: nil, body: body, sendBefore: deadline)
    }

    /// Sends an empty JSON object as the body, although the operation needs none: only a request with a body can be
    /// withheld (see `GuardedBody`). A server ignores the body, but must not act before the bytes announced by
    /// `Content-Length` arrive.
    package func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        let path = RetriggerRequest(run).path(escape: \.formEncoded)
        return await requestRun(path, query: RetriggerRequest.query, body: "{}", sendBefore: deadline)
    }

    private func requestRun(
        _ path: String, query: String?, body: String, sendBefore deadline: MonotonicInstant
    ) async -> RunAnswer {
        let isLate: @Sendable () -> Bool = { time.monotonic() > deadline }
        func answer(with token: String) async -> RunAnswer {
            var headers = authorized(by: token)
            headers.add(name: "Content-Type", value: "application/json")
            do throws(TransportError) {
                let answer = try await transport.send(
                    .POST, path, query: query, headers: headers, body: GuardedBody(body, isLate: isLate),
                    answerLimit: 65_536)
                freshAnswers.record(answer.stamp)
                return RunAnswer(answer, now: time.now(), redaction: Redaction(secrets + [token]))
            } catch {
                return RunAnswer(error)
            }
        }
        do throws(FlowServiceError) {
            let token = try await tokens.token()
            // Avoids a useless connection. The body is still checked again right before it is written.
            guard !isLate() else {
                return RunAnswer(TransportError(GuardedBody.WithholdReason.late, couldHaveArrived: false))
            }
            let first = await answer(with: token)
            guard case .unauthorized = first, let fresh = try await tokens.replacement(of: token) else { return first }
            // Counts against the rate limit without waiting, because the claim is open.
            _ = sender.rateLimiter.reserveTurn(at: time.monotonic())
            return await answer(with: fresh)
        } catch .unauthorized(let reason) {
            return .unauthorized(reason: reason)
        } catch {
            return .notSent("there is no access token: \(error)")
        }
    }
}

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
