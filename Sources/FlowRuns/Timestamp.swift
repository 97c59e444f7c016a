/// An instant, to the millisecond. Seconds stand only on the wire and in manifests.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The nearest instant there is where `seconds` are too many.
    package init(seconds: Int64) {
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.milliseconds = overflow ? (seconds < 0 ? .min : .max) : milliseconds
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package var seconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }

    /// The first and the last instant there is: before and after every other.
    package static let min = Timestamp(milliseconds: .min)
    package static let max = Timestamp(milliseconds: .max)

    /// RFC 3339 in UTC, in whole seconds: `2022-05-03T13:36:31Z`.
    package var description: String { UTCTime(self).description }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Saturating: never before ``min`` nor after ``max``.
    package static func + (time: Timestamp, span: Duration) -> Timestamp {
        let (milliseconds, overflow) = time.milliseconds.addingReportingOverflow(span.milliseconds)
        return overflow ? (span < .zero ? .min : .max) : Timestamp(milliseconds: milliseconds)
    }

    /// Saturating: never before ``min`` nor after ``max``.
    package static func - (time: Timestamp, span: Duration) -> Timestamp {
        let (milliseconds, overflow) = time.milliseconds.subtractingReportingOverflow(span.milliseconds)
        return overflow ? (span < .zero ? .max : .min) : Timestamp(milliseconds: milliseconds)
    }

    package static func += (time: inout Timestamp, span: Duration) { time = time + span }
    package static func -= (time: inout Timestamp, span: Duration) { time = time - span }

    /// Saturating: at most as many milliseconds as an `Int64` can count.
    package static func - (end: Timestamp, start: Timestamp) -> Duration {
        let (milliseconds, overflow) = end.milliseconds.subtractingReportingOverflow(start.milliseconds)
        return .milliseconds(overflow ? (end < start ? Int64.min : .max) : milliseconds)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down; the nearest `Int64` where there are too many.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        // The parts of a negative duration are negative both.
        let fraction = attoseconds / 1_000_000_000_000_000
        let rest: Int64 = attoseconds % 1_000_000_000_000_000 < 0 ? 1 : 0
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, overflow) = whole.addingReportingOverflow(fraction - rest)
        return isTooLong || overflow ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole seconds, rounded down.
    package var wholeSeconds: Int64 { Timestamp(milliseconds: milliseconds).seconds }

    /// Whole seconds, rounded up: how long to say that one waits.
    package var secondsRoundedUp: Int64 { -Timestamp(milliseconds: -Swift.max(milliseconds, -.max)).seconds }
}
