import FlowRuns

/// Estimates the service's time from the `Date` headers of its answers and a monotonic clock.
///
/// The machine's own wall clock may be wrong, and the clocks of two machines are never compared. An answer with
/// `Date: D` was produced within `[D, D + 1 s)` of the service's time, since `Date` has whole seconds (RFC 9110,
/// section 6.6.1), and at some instant between sending and receiving. Each answer therefore bounds the service's time.
///
/// Nothing promises that all answers come from one clock: nodes differ, and clocks are set. Answers that agree narrow
/// the estimate; answers that contradict each other widen it, so that a jump never moves both bounds.
package struct ServiceClock: Sendable {
    /// A clock of the service, as far as answers have bounded it: its time at ``origin``, in `[earliest, latest]`.
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

    /// A clock that no answer has confirmed for this long is forgotten: two clocks drift apart by a second in some
    /// hours, and a clock that was set does not come back.
    static let longestUse = Duration.seconds(600)
    /// `Date` has whole seconds, and nodes of one service are kept together to about a second.
    private static let tolerance = Duration.seconds(1)

    private var nodes: [Node] = []
    /// Node times refer to this instant: the arrival of the first answer.
    private var origin: MonotonicInstant?

    package init() {}

    /// Records the `Date` of an answer that no cache has delayed.
    ///
    /// - Parameters:
    ///   - sent: an instant before the request left.
    ///   - received: an instant after the answer arrived.
    package mutating func record(date: Timestamp, sent: MonotonicInstant, received: MonotonicInstant) {
        let new = node(date: date, sent: sent, received: received)
        nodes.removeAll { received - $0.lastSeenAt >= Self.longestUse }
        if let index = nodes.firstIndex(where: { $0.agrees(with: new) }) {
            nodes[index].narrow(to: new)
        } else {
            nodes.append(new)
        }
    }

    /// The bounds of the service's time at an instant; `nil` as long as no answer had a `Date`.
    package func time(at now: MonotonicInstant) -> ServiceTime? {
        guard let origin, let earliest = nodes.map(\.earliest).min(), let latest = nodes.map(\.latest).max() else {
            return nil
        }
        // Milliseconds are rounded down when a duration is added, and up when one is subtracted.
        return ServiceTime(earliest: earliest + (now - origin), latest: latest - (origin - now))
    }

    /// How far the `Date` of an answer lies behind one that was seen before; `nil` when it does not.
    ///
    /// An answer from a cache has such a date; so has one from a node whose clock runs behind.
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
