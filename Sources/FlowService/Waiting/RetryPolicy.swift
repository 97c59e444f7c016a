import FlowRuns

/// Limits of retries: the number of attempts and the waits between them. `Retry-After` is honoured; other waits grow
/// exponentially. Jitter prevents many clients from retrying at the same moment.
package struct RetryPolicy: Sendable {
    /// Maximum attempts, including the first one.
    package var maxAttempts: Int
    /// The wait after the first attempt. Each further wait is twice as long.
    package var firstDelay: Duration
    /// Maximum wait, unless the service requests a longer one.
    package var maxDelay: Duration
    /// Maximum `Retry-After`. A service that requests a longer wait is not tried again.
    package var maxRetryAfter: Duration
    /// Returns a random number in `0 ..< 1`.
    package var random: @Sendable () -> Double

    package init(
        maxAttempts: Int = 5, firstDelay: Duration = .milliseconds(500), maxDelay: Duration = .seconds(60),
        maxRetryAfter: Duration = .seconds(600),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.maxAttempts = maxAttempts
        self.firstDelay = firstDelay
        self.maxDelay = maxDelay
        self.maxRetryAfter = maxRetryAfter
        self.random = random
    }

    /// Returns the wait before the next attempt; `nil` when there must not be another one.
    ///
    /// - Parameters:
    ///   - attempts: the number of attempts made, at least 1.
    ///   - retryAfter: the minimum wait that the service requested.
    package func delay(after attempts: Int, retryAfter: Duration? = nil) -> Duration? {
        guard attempts < maxAttempts else { return nil }
        if let retryAfter {
            return retryAfter > maxRetryAfter ? nil : max(.zero, retryAfter) + firstDelay * random()
        }
        let doubled = firstDelay * (1 << min(max(attempts, 1) - 1, 20))
        return min(doubled, maxDelay) * (0.5 + random() / 2)
    }
}

extension String {
    /// Appends the wait that the service requested: `rate limited (429); retry after 3600 s`.
    package func asking(toWait wait: Duration?) -> String {
        guard let wait, wait > .zero else { return self }
        return "\(self); retry after \(wait.secondsRoundedUp) s"
    }
}
