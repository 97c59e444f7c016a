/// An error that prevented a read from the service.
package enum FlowServiceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The service is unreachable or keeps failing. A later attempt may succeed.
    case unavailable(String)
    /// 401, or 403 where a wrong API key is the likely cause. Contains a whole phrase, such as `authentication failed
    /// (401)`.
    case unauthorized(String)
    /// The answer has none of the documented shapes.
    case unreadable(String)
    /// The answer cannot come from an API: not JSON, truncated, or in an encoding that was not requested.
    case malformed(String)
    /// A cache answered in place of the service, and the answer may be older than the question.
    case stale(String)
    /// The service refused the request with 3xx or 4xx.
    case refused(status: Int, String)
    /// A stop was requested before the answer arrived.
    case stopped

    /// The part of a target that an error affects.
    package enum Scope: Hashable, Sendable {
        /// Only the flow that was read. Other flows may be readable.
        case flow
        case service
    }

    package var scope: Scope {
        switch self {
        case .unreadable, .stale: .flow
        case .refused(let status, _): status >= 400 ? .flow : .service
        case .malformed, .unavailable, .unauthorized, .stopped: .service
        }
    }

    /// A sentence for users, without a full stop.
    package var description: String {
        switch self {
        case .unavailable(let reason): "the Flow Service is unavailable: \(reason)"
        case .unauthorized(let reason): reason
        case .unreadable(let reason), .malformed(let reason): "cannot read the Flow Service's answer: \(reason)"
        case .stale(let reason):
            "a cache answers instead of the Flow Service (\(reason)): let the proxy pass on requests with "
                + "'Cache-Control: no-cache', or name the service in NO_PROXY"
        case .refused(_, let reason): "the Flow Service refused the request: \(reason)"
        case .stopped: "stopped before the Flow Service answered"
        }
    }
}
