import FlowService
import Logging

/// Sends idempotent requests with retries. Each attempt takes its own turn under the rate limit, and a stop ends all
/// waits.
struct RetryingSender: Sendable {
    let retryPolicy: RetryPolicy
    let rateLimiter: RateLimiter
    let time: any TimeSource
    let stop: StopSignal
    /// Receives each wait before a retry; waits of 5 seconds or more are logged at `warning`.
    let logger: Logger

    /// Waits for the next turn under the rate limit, or for a stop.
    func waitForRateLimit() async { await time.pause(rateLimiter.reserveTurn(at: time.monotonic()), unless: stop) }

    /// Sends a request until it succeeds or retrying is pointless.
    ///
    /// - Parameters:
    ///   - name: the requested resource, for error messages.
    /// - Returns: the first answer that should not be retried, or else the last one.
    /// - Throws: ``FlowServiceError/unavailable(_:)`` when no answer arrives, and ``FlowServiceError/stopped``.
    func send(
        _ request: @Sendable () -> ServiceRequest, over transport: Transport, name: String
    ) async throws(FlowServiceError) -> HTTPAnswer {
        var attempts = 0
        while true {
            await waitForRateLimit()
            let request = request()
            let attempt = await stop.unlessRequested { () async -> Result<HTTPAnswer, TransportError> in
                do throws(TransportError) { return .success(try await transport.send(request)) } catch {
                    return .failure(error)
                }
            }
            guard let attempt, !stop.isRequested, !Task.isCancelled else { throw .stopped }
            attempts += 1
            let reason: String
            var retryAfter: Duration?
            switch attempt {
            case .success(let answer):
                if !answer.isRetryable { return answer }
                reason = answer.status == 429 ? "rate limited (429)" : "answered \(answer.status)"
                retryAfter = answer.wait(now: time.now())
            case .failure(let error): reason = error.reason
            }
            guard let delay = retryPolicy.delay(after: attempts, retryAfter: retryAfter) else {
                guard case .success(let answer) = attempt else { throw .unavailable("\(name): \(reason)") }
                return answer
            }
            logger.log(
                level: delay < .seconds(5) ? .debug : .warning,
                "\(name): \(reason), retrying in \(delay.secondsRoundedUp) s")
            await time.pause(delay, unless: stop)
        }
    }
}

extension HTTPAnswer {
    fileprivate var isRetryable: Bool {
        [408, 429].contains(status) || status >= 500 || (isSuccess && cut != nil)
    }
}
