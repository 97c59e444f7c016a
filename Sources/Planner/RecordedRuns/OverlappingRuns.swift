import FlowRuns

/// Two recorded runs of different windows that ingested the same time.
package struct OverlappingRuns: Hashable, Sendable {
    /// Both runs, in window order.
    package let runs: [RecordedRun]
    /// The time that both windows contain.
    package let window: Window

    /// Creates a pair of runs; `nil` if their windows do not overlap.
    package init?(_ first: RecordedRun, _ second: RecordedRun) {
        guard let left = first.window, let right = second.window,
            let window = Window(start: max(left.start, right.start), end: min(left.end, right.end))
        else { return nil }
        runs = [first, second]
        self.window = window
    }
}
