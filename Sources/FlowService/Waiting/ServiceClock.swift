import FlowRuns

/// An estimate of the service's time, from the `Date` headers of its answers and a monotonic clock.
///
/// The machine's own wall clock may be wrong, and the clocks of two machines are never compared. An answer with
/// `Date: D` was produced within `[D, D + 1 s)` of the service's time, since `Date` has whole seconds (RFC 9110,
/// section 6.6.1), and at some instant between sending and receiving. Each answer therefore bounds the service's time.
///
/// The answers need not come from one clock: nodes differ, and clocks are set. Answers that agree narrow the estimate.
/// Answers that contradict each other widen it, so that a jump never moves both bounds.
package struct ServiceClock: Sendable {
    /// The bounds of one clock of the service: its time at ``origin`` is in `[earliest, latest]`.
    private struct Node {
        var earliest: Timestamp
        var latest: Timestamp
        var lastSeenAt: MonotonicInstant

        func agrees(with other: Node) -> Bool { earliest <= other.latest && other.earliest <= latest }

        mutating func narrow(to other: Node) {
            earliest = max(earliest, other.earliest)
            latest = min(latest, other.latest)
            lastSeenAt = max(lastSeenAt, other.lastSeenAt)
        }
    }

    /// Time after which an unconfirmed clock is discarded. Two clocks can drift apart by a second within hours, and a
    /// clock that was set does not return to its old time.
    static let maxAge = Duration.seconds(600)
    /// Tolerated lag between answers. `Date` has whole seconds, and the nodes of a service are synchronised to about a
    /// second.
    private static let tolerance = Duration.seconds(1)

    private var nodes: [Node] = []
    /// The reference instant of all node times: the arrival of the first answer.
    private var origin: MonotonicInstant?

    package init() {}

    /// Records the `Date` of an answer that no cache has delayed.
    ///
    /// - Parameters:
    ///   - date: the answer's `Date` header, in whole seconds.
    ///   - sent: an instant before the request left.
    ///   - received: an instant after the answer arrived.
    package mutating func record(date: Timestamp, sent: MonotonicInstant, received: MonotonicInstant) {
        let new = node(date: date, sent: sent, received: received)
        nodes.removeAll { received - $0.lastSeenAt >= Self.maxAge }
        if let index = nodes.firstIndex(where: { $0.agrees(with: new) }) {
            nodes[index].narrow(to: new)
        } else {
            nodes.append(new)
        }
    }

    /// Returns bounds of the service's time at an instant; `nil` if no answer had a `Date`.
    package func time(at now: MonotonicInstant) -> ServiceTime? {
        guard let origin, let earliest = nodes.map(\.earliest).min(), let latest = nodes.map(\.latest).max() else {
            return nil
        }
        // Adding a duration rounds milliseconds down; subtracting rounds up.
        return ServiceTime(earliest: earliest + (now - origin), latest: latest - (origin - now))
    }

    /// Returns the lag of an answer's `Date` behind an earlier one; `nil` if there is none.
    ///
    /// A lag means that the answer comes from a cache, or from a node whose clock runs behind.
    package mutating func lag(
        ofDate date: Timestamp, sent: MonotonicInstant, received: MonotonicInstant
    ) -> Duration? {
        let new = node(date: date, sent: sent, received: received)
        guard let newest = nodes.map(\.earliest).max(), new.latest + Self.tolerance < newest else { return nil }
        return newest - new.latest
    }

    private mutating func node(date: Timestamp, sent: MonotonicInstant, received: MonotonicInstant) -> Node {
        let origin = origin ?? received
        self.origin = origin
        return Node(
            earliest: date + (origin - received), latest: date - (.seconds(-1) - (origin - sent)),
            lastSeenAt: received)
    }
}
