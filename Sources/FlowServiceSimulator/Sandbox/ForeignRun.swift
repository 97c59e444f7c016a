import FlowRuns

/// A run of another client, for a sandbox that is not empty at the start.
package struct ForeignRun: Hashable, Sendable {
    package let flow: FlowID
    /// The window; `nil` if it cannot be determined from the run.
    package let window: Window?
    /// The creation time, from which the times of the states follow.
    package let createdAt: Timestamp
    /// The requested start; `nil` starts the run immediately.
    package let startTime: Timestamp?
    package let outcome: SimulatedOutcome
    /// The delta column that the run sets for the flow.
    package let deltaColumn: DeltaColumn?
    /// The client application that created the run.
    package let client: String

    /// The client name of the service's user interface.
    package static let userInterface = "user-interface"

    /// Creates a run; by default one that was made in the user interface and succeeded.
    package init(
        flow: FlowID, window: Window?, createdAt: Timestamp, startTime: Timestamp? = nil,
        outcome: SimulatedOutcome = .success, deltaColumn: DeltaColumn? = nil, client: String = userInterface
    ) {
        self.flow = flow
        self.window = window
        self.createdAt = createdAt
        self.startTime = startTime
        self.outcome = outcome
        self.deltaColumn = deltaColumn
        self.client = client
    }
}
