import FlowRuns

/// Tells the service's time from the `Date` headers of its answers and a monotonic clock: the machine's own wall clock
/// may be wrong, and two of them are never compared.
///
/// An answer with `Date: D` was given within `[D, D + 1 s)` of the service's time, since `Date` has whole seconds (RFC
/// 9110, section 6.6.1), and at some instant between sending and receiving. So at instant `t` the service's time is at
/// least `D + (t - received)` and less than `D + 1 s + (t - sent)`.
package struct ServiceClock: Sendable {
    private struct Sample {
        let date: Timestamp
        let sent: MonotonicInstant
        let received: MonotonicInstant

        var roundTrip: Duration { received - sent }

        func time(at now: MonotonicInstant) -> ServiceTime {
            // Milliseconds are rounded down by adding a duration, and up by taking one off.
            ServiceTime(earliest: date + (now - received), latest: date - (.seconds(-1) - (now - sent)))
        }
    }

    /// A sample older than this gives way to any other: two clocks drift apart, by a second in some hours at worst.
    static let longestUse = Duration.seconds(600)

    private var sample: Sample?

    package init() {}

    /// Takes in an answer. The one with the shortest round trip tells the time best, until it is old, or the service's
    /// clock was set.
    ///
    /// - Parameters:
    ///   - date: the answer's `Date`.
    ///   - sent: an instant before the request left.
    ///   - received: an instant after the answer came.
    package mutating func note(date: Timestamp, sent: MonotonicInstant, received: MonotonicInstant) {
        let new = Sample(date: date, sent: sent, received: received)
        if let sample, new.roundTrip > sample.roundTrip, received - sample.received < Self.longestUse {
            let (old, new) = (sample.time(at: received), new.time(at: received))
            guard old.latest < new.earliest || new.latest < old.earliest else { return }
        }
        sample = new
    }

    /// - Returns: `nil` as long as no answer had a `Date`.
    package func time(at now: MonotonicInstant) -> ServiceTime? { sample?.time(at: now) }
}
