import FlowRuns

/// Calendar time cut into windows: `{every: P1D, from: 2024-01-01, until: now, timeZone: Europe/Berlin, lag: PT2H}`.
package struct Series: Hashable, Sendable {
    /// The length of each window, in one unit: `PT15M`, `PT1H`, `P1D`, `P1W`, `P1M`.
    package enum Step: Hashable, Sendable {
        /// Hours, minutes and seconds, of constant length.
        case fixed(Duration)
        /// Calendar days and weeks. A day has 23 or 25 hours at a daylight-saving change.
        case days(Int)
        /// Calendar months and years, counted from the first one, so that a series from 31 January reaches 31 March.
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
    /// A valid IANA time zone name.
    package let timeZone: String
    /// The time between a window's end and the moment when the window becomes due.
    package let lag: Duration
    /// The local time from which the calendar is counted, as if it were UTC; `nil` for the local time of `from`. The
    /// two differ if the clock skips the time that the manifest names.
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
