import FlowRuns

/// How long to wait before asking again: doubled each time, with jitter, so that many appliers do not return at once.
struct Backoff {
    private(set) var tries = 0
    private let first: UnixMilliseconds
    private let longest: UnixMilliseconds

    init(first: UnixMilliseconds, longest: UnixMilliseconds) {
        self.first = first
        self.longest = longest
    }

    /// - Parameters:
    ///   - wish: what the service asked for (`Retry-After`), in milliseconds; it is the least that is waited.
    ///   - chance: a random number in `0 ..< 1`.
    mutating func next(wish: UnixMilliseconds? = nil, chance: Double) -> UnixMilliseconds {
        tries += 1
        let doubled = min(longest, first << min(tries - 1, 20))
        let jittered = UnixMilliseconds(Double(doubled) * (0.5 + chance / 2))
        guard let wish else { return max(1, jittered) }
        return max(0, wish) + UnixMilliseconds(Double(first) * chance)
    }
}
