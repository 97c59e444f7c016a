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
    package func includes(_ run: RecordedRun) -> Bool { run.incompleteEnd.map(states.contains) ?? false }
}

extension RecordedRun {
    /// The end of a run that did not bring all of its records; `nil` for a run that did, and for one that has not ended.
    package var incompleteEnd: Retries.State? {
        switch state {
        case .failed: .failed
        case .partial: .partial
        case .succeeded: isEmpty ? .empty : nil
        case .intended, .accepted, .rejected, .inDoubt, .released: nil
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
