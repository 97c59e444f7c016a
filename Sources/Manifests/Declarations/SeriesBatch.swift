import FlowRuns

/// The rule for requesting adjacent missing windows of a series as one run.
package enum SeriesBatch: Hashable, Sendable {
    /// Joins windows into runs of at most this length, in the calendar of the series.
    case upTo(Series.Step)
    /// Joins the windows that completely fill one of these batches, as approved in a plan. `windows` are the windows that
    /// were cut from a series, and `reruns` those of approved reruns.
    case exactly([Window], windows: Set<Window>, reruns: Set<Window>)
}

/// The maximum length of a batch of series windows.
package struct BatchLimit: Sendable {
    private let step: Series.Step
    private let clock: LocalClock?

    package init(_ step: Series.Step, of series: Series) {
        self.step = step
        clock = LocalClock(series.timeZone)
    }

    /// Returns the latest end of a batch that begins at `start`.
    package func end(from start: Timestamp) -> Timestamp {
        switch step {
        case .fixed(let length): start + length
        case .days(let days): moved(start) { $0 + .seconds(days * 86_400) }
        case .months(let months): moved(start) { civil($0, addingMonths: months) }
        }
    }

    private func moved(_ start: Timestamp, _ move: (Timestamp) -> Timestamp) -> Timestamp {
        guard let clock else { return start }
        return clock.moment(of: move(clock.civil(at: start)))
    }
}
