import FlowRuns

/// The outcome of a run request.
package enum RunAnswer: Hashable, Sendable {
    /// 2xx with a run ID, in any of the three documented shapes.
    case accepted(RunID, response: String)
    /// A definite refusal: 400, 403, 404, 422 and any other 4xx that no other case covers.
    case refused(reason: String, response: String)
    /// 401, even with a renewed token. The request was not accepted.
    case unauthorized(reason: String)
    /// 429. The request was not accepted. Contains the wait that the service requested, if any.
    case throttled(retryAfter: Duration?)
    /// Not accepted, because no byte of the body was sent: connection refused, unknown host, failed TLS handshake, or
    /// deadline exceeded before sending.
    case notSent(String)
    /// Possibly accepted: timeout, connection lost after sending began, 3xx, 408, 409, 499, any 5xx, or a 2xx without a
    /// readable ID.
    case unknown(reason: String, response: String?)
}
