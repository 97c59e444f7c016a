import FlowRuns

/// The retry policy for runs that did not end as they should: the number of retries and the states that are retried, as
/// in `retryFailed: {times: 2, states: [failed, empty]}`.
package struct Retries: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case failed
        /// Ended as a success, but with failed records or errors.
        case partial
        /// Succeeded without records.
        case empty
    }

    package let times: Int
    package let states: Set<State>

    package init(_ times: Int = 0, of states: Set<State> = [.failed]) {
        self.times = times
        self.states = states
    }

    /// The states in the order in which they are written.
    package var sortedStates: [State] { State.allCases.filter(states.contains) }

    /// Whether the run ended in a state that is retried.
    package func includes(_ run: RecordedRun) -> Bool {
        switch run.state {
        case .failed: states.contains(.failed)
        case .partial: states.contains(.partial)
        case .succeeded: run.isEmpty && states.contains(.empty)
        case .intended, .accepted, .rejected, .inDoubt, .released: false
        }
    }
}

/// The expected result of a run of the flow: `expect: {minimumRecords: 1}`.
package struct Expectation: Hashable, Sendable {
    package let minimumRecords: Int64

    package init(minimumRecords: Int64) { self.minimumRecords = minimumRecords }
}

extension FlowDeclaration {
    /// Returns runs that ended with fewer records than expected. Leaves out windows of which another run has enough
    /// records, and acknowledged runs.
    package func runsWithTooFewRecords(in runs: some Sequence<RecordedRun>) -> [RecordedRun] {
        guard let expectation else { return [] }
        let known = Set(acknowledged.map(\.run))
        var enough: Set<Window> = []
        var tooFew: [RecordedRun] = []
        for run in runs where run.state == .succeeded || run.state == .partial {
            guard let window = run.window, let records = run.records else { continue }
            if records >= expectation.minimumRecords {
                enough.insert(window)
            } else if !(run.id.map(known.contains) ?? false) {
                tooFew.append(run)
            }
        }
        return tooFew.filter { $0.window.map { !enough.contains($0) } ?? false }
    }
}
