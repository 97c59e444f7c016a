import FlowRuns

/// A pause, during which missing windows are not requested:
/// `{reason: source is migrated, until: 2026-04-10T00:00:00Z}`.
package struct Pause: Hashable, Sendable {
    /// The reason for the pause, shown in plans.
    package let reason: String
    /// The first instant after the pause; `nil` if the pause lasts until it is removed from the manifest.
    package let until: Timestamp?
    package let place: Place

    package init(reason: String, until: Timestamp? = nil, place: Place) {
        self.reason = reason
        self.until = until
        self.place = place
    }

    /// Whether the pause is in effect at `time`.
    package func isActive(at time: Timestamp) -> Bool { until.map { time < $0 } ?? true }
}

extension FlowDeclaration {
    /// Returns the active pause of the flow or its manifest that ends last, or `nil` if none is active.
    package func pause(at time: Timestamp) -> Pause? { pauses.last(endingAfter: time) }
}

extension [Pause] {
    /// The active pause that ends last; `nil` when none is active.
    package func last(endingAfter time: Timestamp) -> Pause? {
        filter { $0.isActive(at: time) }.max { ($0.until ?? .max) < ($1.until ?? .max) }
    }
}
