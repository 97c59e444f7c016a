/// An instant with millisecond precision. Only the wire format and manifests use whole seconds.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Creates an instant from Unix seconds, clamped to ``min`` and ``max``.
    package init(seconds: Int64) {
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.milliseconds = overflow ? (seconds < 0 ? .min : .max) : milliseconds
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package var seconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }

    /// The earliest representable instant.
    package static let min = Timestamp(milliseconds: .min)
    /// The latest representable instant.
    package static let max = Timestamp(milliseconds: .max)

    /// The instant in RFC 3339, in UTC and whole seconds: `2022-05-03T13:36:31Z`.
    package var description: String { UTCTime(self).description }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Returns the instant `span` later, clamped to ``min`` and ``max``.
    package static func + (time: Timestamp, span: Duration) -> Timestamp {
        let (milliseconds, overflow) = time.milliseconds.addingReportingOverflow(span.milliseconds)
        return overflow ? (span < .zero ? .min : .max) : Timestamp(milliseconds: milliseconds)
    }

    /// Returns the instant `span` earlier, clamped to ``min`` and ``max``.
    package static func - (time: Timestamp, span: Duration) -> Timestamp {
        let (milliseconds, overflow) = time.milliseconds.subtractingReportingOverflow(span.milliseconds)
        return overflow ? (span < .zero ? .max : .min) : Timestamp(milliseconds: milliseconds)
    }

    package static func += (time: inout Timestamp, span: Duration) { time = time + span }
    package static func -= (time: inout Timestamp, span: Duration) { time = time - span }

    /// Returns the span between two instants, clamped to an `Int64` of milliseconds.
    package static func - (end: Timestamp, start: Timestamp) -> Duration {
        let (milliseconds, overflow) = end.milliseconds.subtractingReportingOverflow(start.milliseconds)
        return .milliseconds(overflow ? (end < start ? Int64.min : .max) : milliseconds)
    }
}

extension Duration {
    /// The duration in whole milliseconds, rounded down and clamped to `Int64`.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        // The components of a negative duration are both negative.
        let fraction = attoseconds / 1_000_000_000_000_000
        let rest: Int64 = attoseconds % 1_000_000_000_000_000 < 0 ? 1 : 0
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, overflow) = whole.addingReportingOverflow(fraction - rest)
        return isTooLong || overflow ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in whole seconds, rounded down.
    package var wholeSeconds: Int64 { Timestamp(milliseconds: milliseconds).seconds }

    /// The duration in whole seconds, rounded up, for messages about waiting.
    package var secondsRoundedUp: Int64 { -Timestamp(milliseconds: -Swift.max(milliseconds, -.max)).seconds }
}
