/// The half-open span `[start, end)` whose data one run ingests. `start < end` always holds.
package struct Window: Hashable, Comparable, Sendable {
    package let start: Timestamp
    package let end: Timestamp

    /// Creates a window; returns `nil` unless `start < end`.
    package init?(start: Timestamp, end: Timestamp) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
    }

    /// Creates a window from Unix seconds; returns `nil` unless the start is before the end.
    package init?(startSeconds: Int64, endSeconds: Int64) {
        self.init(start: Timestamp(seconds: startSeconds), end: Timestamp(seconds: endSeconds))
    }

    private init(unchecked start: Timestamp, _ end: Timestamp) {
        self.start = start
        self.end = end
    }

    package var length: Duration { end - start }

    /// Returns a window of equal length, shifted by `milliseconds`. The caller ensures that the result is
    /// representable.
    package func moved(by milliseconds: Int64) -> Window {
        Window(
            unchecked: Timestamp(milliseconds: start.milliseconds &+ milliseconds),
            Timestamp(milliseconds: end.milliseconds &+ milliseconds))
    }

    /// The window in words, for messages: `2022-05-03T13:36:31Z to 2022-05-03T14:36:31Z`.
    package var inWords: String { "\(start) to \(end)" }

    /// Whether the windows share any instant. Adjacent windows do not overlap.
    package func overlaps(_ other: Window) -> Bool { start < other.end && other.start < end }

    /// Whether this window contains all of `other`.
    package func contains(_ other: Window) -> Bool { start <= other.start && other.end <= end }

    /// Orders by start, then by end: the default order of a flow's requests.
    package static func < (left: Window, right: Window) -> Bool {
        (left.start, left.end) < (right.start, right.end)
    }
}
