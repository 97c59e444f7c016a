/// How often something is tried, and how long to wait in between: as long as the service asks (`Retry-After`), else
/// longer each time. Jitter keeps many clients from returning at once.
package struct RetryPolicy: Sendable {
    /// The first one included.
    package var maxAttempts: Int
    /// The wait after the first attempt; each later one is twice as long.
    package var firstDelay: Duration
    /// No wait is longer, unless the service asks for it.
    package var longestDelay: Duration
    /// A service that asks for a longer wait than this is not tried again.
    package var longestRetryAfter: Duration
    /// A random number in `0 ..< 1`.
    package var random: @Sendable () -> Double

    package init(
        maxAttempts: Int = 5, firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(60),
        longestRetryAfter: Duration = .seconds(600),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.maxAttempts = maxAttempts
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        self.longestRetryAfter = longestRetryAfter
        self.random = random
    }

    /// - Parameters:
    ///   - attempts: how many were made, at least 1.
    ///   - retryAfter: what the service asked for; it is the least that is waited.
    /// - Returns: how long to wait before the next attempt; `nil` when there is to be none.
    package func delay(after attempts: Int, retryAfter: Duration? = nil) -> Duration? {
        guard attempts < maxAttempts else { return nil }
        if let retryAfter {
            return retryAfter > longestRetryAfter ? nil : max(.zero, retryAfter) + firstDelay * random()
        }
        let doubled = firstDelay * (1 << min(max(attempts, 1) - 1, 20))
        return min(doubled, longestDelay) * (0.5 + random() / 2)
    }
}
