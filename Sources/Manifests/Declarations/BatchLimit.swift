import FlowRuns

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
