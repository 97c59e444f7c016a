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
            let request = ServiceRequest(
                method: .post, path: path, query: query,
                headers: authorized(by: token) + [("Content-Type", "application/json")],
                body: GuardedBody(body, isLate: isLate), answerLimit: 65_536)
            do throws(TransportError) {
                let answer = try await transport.send(request)
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
