import FlowRuns
import Synchronization

/// A token bucket over all flows of an apply: no more requests in a second than the target allows. The bucket holds one
/// token, so that requests are spread evenly and a quiet minute is not followed by a burst.
final class Pace: Sendable {
    private let interval: Double
    private let nextFree: Mutex<Double>

    init(requestsPerSecond: Double) {
        interval = 1000 / requestsPerSecond
        nextFree = Mutex(0)
    }

    /// Takes the next free turn.
    ///
    /// - Returns: how many milliseconds from `now` the turn begins.
    func turn(at now: UnixMilliseconds) -> UnixMilliseconds {
        nextFree.withLock { next in
            let start = max(next, Double(now))
            next = start + interval
            return UnixMilliseconds((start - Double(now)).rounded(.up))
        }
    }
}
