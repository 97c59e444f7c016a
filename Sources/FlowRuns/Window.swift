/// The half-open span `[start, end)` whose data one run ingests; `start < end` always.
package struct Window: Hashable, Comparable, Sendable {
    package let start: Timestamp
    package let end: Timestamp

    /// `nil` unless `start < end`.
    package init?(start: Timestamp, end: Timestamp) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
    }

    /// Of Unix seconds, as manifests and requests give them; `nil` unless the start is before the end.
    package init?(startSeconds: Int64, endSeconds: Int64) {
        self.init(start: Timestamp(seconds: startSeconds), end: Timestamp(seconds: endSeconds))
    }

    private init(unchecked start: Timestamp, _ end: Timestamp) {
        self.start = start
        self.end = end
    }

    package var length: Duration { end - start }

    /// An equally long window, so many milliseconds later. There must be such times.
    package func moved(by milliseconds: Int64) -> Window {
        Window(
            unchecked: Timestamp(milliseconds: start.milliseconds &+ milliseconds),
            Timestamp(milliseconds: end.milliseconds &+ milliseconds))
    }

    /// For messages: `2022-05-03T13:36:31Z to 2022-05-03T14:36:31Z`.
    package var inWords: String { "\(start) to \(end)" }

    /// Whether the two share any instant. Windows that only touch do not.
    package func overlaps(_ other: Window) -> Bool { start < other.end && other.start < end }

    /// Whether all of `other` is in this window.
    package func contains(_ other: Window) -> Bool { start <= other.start && other.end <= end }

    /// By start, then by end: the order in which a flow's requests are sent.
    package static func < (left: Window, right: Window) -> Bool {
        (left.start, left.end) < (right.start, right.end)
    }
}
