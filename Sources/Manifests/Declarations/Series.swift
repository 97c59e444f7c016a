import FlowRuns

/// Calendar time cut into windows: `{every: P1D, from: 2024-01-01, until: now, timeZone: Europe/Berlin, lag: PT2H}`.
package struct Series: Hashable, Sendable {
    /// The length of each window, one unit only: `PT15M`, `PT1H`, `P1D`, `P1W`, `P1M`.
    package enum Step: Hashable, Sendable {
        /// Hours, minutes and seconds: the same length always.
        case fixed(Duration)
        /// Days and weeks of the calendar: 23 or 25 hours long across a daylight-saving change.
        case days(Int)
        /// Months and years of the calendar, each counted from the first, so that 31 January leads to 31 March.
        case months(Int)
    }

    package enum Until: Hashable, Sendable {
        case time(Timestamp)
        case now
    }

    package let every: Step
    /// The start of the first window.
    package let from: Timestamp
    package let until: Until
    /// An IANA name, known to be valid.
    package let timeZone: String
    /// Only windows that have ended this long ago are due.
    package let lag: Duration
    /// The local time from which the calendar is counted, as if it were UTC; `nil` when it is `from`'s own. The two
    /// differ where the clock skips the time that the manifest names.
    package let anchor: Timestamp?
    package let place: Place

    package init(
        every: Step, from: Timestamp, until: Until, timeZone: String = "UTC", lag: Duration = .zero,
        anchor: Timestamp? = nil, place: Place
    ) {
        self.every = every
        self.from = from
        self.until = until
        self.timeZone = timeZone
        self.lag = lag
        self.anchor = anchor
        self.place = place
    }
}
