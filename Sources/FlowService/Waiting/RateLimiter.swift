import Synchronization

/// Lets no more requests go out in a second than the target allows: a token bucket that holds one token, so that
/// requests are spread evenly and a quiet minute is not followed by a burst.
package final class RateLimiter: Sendable {
    private let interval: Duration
    private let nextFree = Mutex<MonotonicInstant?>(nil)

    package init(requestsPerSecond: Double) { interval = .seconds(1) / requestsPerSecond }

    /// Takes the next free turn.
    ///
    /// - Returns: how long from `now` it is until the turn begins.
    package func takeTurn(at now: MonotonicInstant) -> Duration {
        nextFree.withLock { next in
            let start = max(next ?? now, now)
            next = start + interval
            return start - now
        }
    }

    /// How long from `now` it is until the next free turn begins. Takes nothing.
    package func delay(at now: MonotonicInstant) -> Duration {
        nextFree.withLock { next in max(.zero, (next ?? now) - now) }
    }
}
