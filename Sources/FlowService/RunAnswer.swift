import FlowRuns

/// What came back from asking for a run: the answers table of the design, its rows as cases.
package enum RunAnswer: Hashable, Sendable {
    /// 2xx with a run id, in any of the three documented shapes.
    case accepted(RunID, response: String)
    /// 400, 403, 404, 422 and every other 4xx that is not named below: a definite refusal.
    case refused(reason: String, response: String)
    /// 401, also with a renewed token: not taken.
    case unauthorized(reason: String)
    /// 429: not taken; how long to wait, where the service says so.
    case throttled(retryAfter: Duration?)
    /// Surely not taken, since no byte of the body left: connection refused, name not found, TLS handshake failed,
    /// deadline passed before sending.
    case notSent(String)
    /// Taken, or perhaps taken: time-out, connection lost after sending began, 3xx, 408, 409, 499, any 5xx, a 2xx
    /// without a readable id.
    case unknown(reason: String, response: String?)
}
