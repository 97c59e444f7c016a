/// Seconds since 1970-01-01T00:00:00Z: the unit of every window.
public typealias UnixSeconds = Int64

/// Milliseconds since 1970-01-01T00:00:00Z: the unit of everything that happens (claims, answers, the service's own
/// `createdAt`).
public typealias UnixMilliseconds = Int64

/// The half-open span `[start, end)` of Unix seconds whose data one run ingests; `start < end` always.
public struct Window: Hashable, Comparable, Sendable {
    public let start: UnixSeconds
    public let end: UnixSeconds

    /// `nil` unless `start < end`.
    public init?(start: UnixSeconds, end: UnixSeconds) {
        guard start < end else { return nil }
        self.start = start
        self.end = end
    }

    /// The length in seconds.
    public var length: Int64 { end - start }

    /// Whether the two share at least one second. Windows that only touch do not.
    public func overlaps(_ other: Window) -> Bool { start < other.end && other.start < end }

    /// Whether every second of `other` is in this window.
    public func contains(_ other: Window) -> Bool { start <= other.start && other.end <= end }

    /// By start, then by end: the order in which a flow's requests are sent.
    public static func < (left: Window, right: Window) -> Bool {
        (left.start, left.end) < (right.start, right.end)
    }
}
