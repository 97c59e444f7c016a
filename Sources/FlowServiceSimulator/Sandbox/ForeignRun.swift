import FlowRuns

/// A run made by somebody else, for a sandbox that is not empty at the start.
package struct ForeignRun: Hashable, Sendable {
    package let flow: FlowID
    /// `nil` for one whose window nobody can know.
    package let window: Window?
    /// It moves through its states from then.
    package let createdAt: Timestamp
    /// When it shall begin; `nil`: at once.
    package let startTime: Timestamp?
    package let outcome: SimulatedOutcome
    /// Given, the flow's delta column is this from then on.
    package let deltaColumn: DeltaColumn?
    /// The client application that made it.
    package let client: String

    /// What the user interface of the service is named by here.
    package static let userInterface = "user-interface"

    /// A run that a person made in the user interface and that succeeded, unless told otherwise.
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
