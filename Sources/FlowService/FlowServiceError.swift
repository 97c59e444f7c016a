/// Why the service could not be read.
package enum FlowServiceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not reachable, or it keeps failing: worth trying again later.
    case unavailable(String)
    /// 401, or 403 where a wrong API key is the likely cause; a whole phrase, such as `authentication failed (401)`.
    case unauthorized(String)
    /// It answered something that is none of the documented shapes.
    case unreadable(String)
    /// It answered something that no API answers: no JSON, a body cut off, an encoding that was not asked for.
    case malformed(String)
    /// A cache answers in its place, and the answer may be older than the question.
    case stale(String)
    /// It refused to answer: 3xx or 4xx.
    case refused(status: Int, String)
    /// A stop was requested before the answer was there.
    case stopped

    /// What an error concerns.
    package enum Scope: Hashable, Sendable {
        /// The flow that was read; others may be readable.
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

    /// A sentence for people, without a full stop.
    package var description: String {
        switch self {
        case .unavailable(let reason): "the Flow Service is not available: \(reason)"
        case .unauthorized(let reason): "the Flow Service gives no access: \(reason)"
        case .unreadable(let reason), .malformed(let reason): "the Flow Service's answer cannot be read: \(reason)"
        case .stale(let reason):
            "a cache answers instead of the Flow Service (\(reason)): let the proxy pass on requests with "
                + "'Cache-Control: no-cache', or name the service in NO_PROXY"
        case .refused(let status, let reason): "the Flow Service refused the request (\(status)): \(reason)"
        case .stopped: "stopped before the Flow Service answered"
        }
    }
}
