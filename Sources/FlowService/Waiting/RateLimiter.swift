import Synchronization

/// A limiter of requests per second: a token bucket that holds one token, so that requests are spread evenly and no
/// burst follows an idle period.
package final class RateLimiter: Sendable {
    private let interval: Duration
    private let nextFree = Mutex<MonotonicInstant?>(nil)

    package init(requestsPerSecond: Double) { interval = .seconds(1) / requestsPerSecond }

    /// Reserves the next free turn.
    ///
    /// - Returns: the time from `now` until the turn begins.
    package func reserveTurn(at now: MonotonicInstant) -> Duration {
        nextFree.withLock { next in
            let start = max(next ?? now, now)
            next = start + interval
            return start - now
        }
    }

    /// Returns the time from `now` until the next free turn, without reserving the turn.
    package func delay(at now: MonotonicInstant) -> Duration {
        nextFree.withLock { next in max(.zero, (next ?? now) - now) }
    }
}
