import FlowRuns

/// Which missing windows of a series that touch are asked for as one run.
package enum SeriesBatch: Hashable, Sendable {
    /// So many that the run is not longer than this, in the calendar of the series.
    case upTo(Series.Step)
    /// Those that fill one of these windows, all of them: what was approved. `windows` are those that were cut from a
    /// series.
    case exactly([Window], windows: Set<Window>)
}

/// Where a batch of a series' windows must end.
package struct BatchLimit: Sendable {
    private let step: Series.Step
    private let clock: LocalClock?

    package init(_ step: Series.Step, of series: Series) {
        self.step = step
        clock = LocalClock(series.timeZone)
    }

    /// The latest end of a batch that begins at `start`.
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
