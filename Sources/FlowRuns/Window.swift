/// The half-open span `[start, end)` whose data one run ingests; `start < end` always.
public struct Window: Hashable, Comparable, Sendable {
    public let start: Timestamp
    public let end: Timestamp

    /// `nil` unless `start < end`.
    public init?(start: Timestamp, end: Timestamp) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
    }

    /// Of Unix seconds, as manifests and requests give them; `nil` unless the start is before the end.
    public init?(startSeconds: Int64, endSeconds: Int64) {
        self.init(start: Timestamp(seconds: startSeconds), end: Timestamp(seconds: endSeconds))
    }

    public var length: Duration { end - start }

    /// Whether the two share any instant. Windows that only touch do not.
    public func overlaps(_ other: Window) -> Bool { start < other.end && other.start < end }

    /// Whether all of `other` is in this window.
    public func contains(_ other: Window) -> Bool { start <= other.start && other.end <= end }

    /// By start, then by end: the order in which a flow's requests are sent.
    public static func < (left: Window, right: Window) -> Bool {
        (left.start, left.end) < (right.start, right.end)
    }
}
