import FlowRuns
import Synchronization

/// A token bucket over all flows of an apply: no more requests in a second than the target allows. The bucket holds one
/// token, so that requests are spread evenly and a quiet minute is not followed by a burst.
final class Pace: Sendable {
    private let interval: Duration
    /// When the next turn is free, from the moment of the first one; finer than a millisecond.
    private let nextFree = Mutex<(start: Timestamp, after: Duration)?>(nil)

    init(requestsPerSecond: Double) { interval = .seconds(1) / requestsPerSecond }

    /// Takes the next free turn.
    ///
    /// - Returns: how long from `now` the turn begins.
    func turn(at now: Timestamp) -> Duration {
        nextFree.withLock { next in
            let (start, free) = next ?? (now, .zero)
            let passed = now - start
            let turn = max(free, passed)
            next = (start, turn + interval)
            return turn - passed
        }
    }
}
