import FlowRuns

/// How long to wait before asking again: doubled each time, with jitter, so that many appliers do not return at once.
struct Backoff {
    private(set) var tries = 0
    private let first: Duration
    private let longest: Duration

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// - Parameters:
    ///   - wish: what the service asked for (`Retry-After`); it is the least that is waited.
    ///   - chance: a random number in `0 ..< 1`.
    mutating func next(wish: Duration? = nil, chance: Double) -> Duration {
        tries += 1
        let doubled = min(longest, first * (1 << min(tries - 1, 20)))
        let jittered = doubled * (0.5 + chance / 2)
        guard let wish else { return max(.milliseconds(1), jittered) }
        return max(.zero, wish) + first * chance
    }
}
