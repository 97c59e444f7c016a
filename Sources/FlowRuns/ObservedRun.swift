/// A run as the service lists it.
package struct ObservedRun: Hashable, Sendable {
    package let id: RunID
    /// The window from the run's `params`, or else from its copy activity; `nil` if neither contains one.
    package let window: Window?
    package let createdAt: Timestamp
    /// The ID of the client that created the run; `nil` if the service does not report it.
    package let createdClient: String?
    /// The status in the service's own words: `scheduled`, `inProgress`, `success`, …
    package let status: String
    /// The end of the run; `nil` while the run has not ended.
    package let end: RunEnd?
    /// When it ended, by the service's clock; `nil` while it has not, and where the service does not say.
    package let endedAt: Timestamp?
    /// Records read, written and failed, as far as it tells.
    package let counts: RunCounts

    package init(
        id: RunID, window: Window?, createdAt: Timestamp, createdClient: String? = nil, status: String,
        end: RunEnd?, endedAt: Timestamp? = nil, counts: RunCounts = RunCounts()
    ) {
        self.id = id
        self.window = window
        self.createdAt = createdAt
        self.createdClient = createdClient
        self.status = status
        self.end = end
        self.endedAt = endedAt
        self.counts = counts
    }
}

/// The end of a run on the service.
package struct RunEnd: Hashable, Sendable {
    /// The final state: `succeeded`, `partial` or `failed`.
    package let state: RunState
    /// The reason why the run failed or is partial: codes and messages in the service's words.
    package let failure: String?

    package init(state: RunState, failure: String? = nil) {
        self.state = state
        self.failure = failure
    }
}

/// The amount of data that a run moved, as far as the service reports it.
package struct RunCounts: Hashable, Sendable {
    package var inputRecords: Int64?
    package var outputRecords: Int64?
    package var failedRecords: Int64?
    package var inputFiles: Int64?

    package init(
        inputRecords: Int64? = nil, outputRecords: Int64? = nil, failedRecords: Int64? = nil, inputFiles: Int64? = nil
    ) {
        self.inputRecords = inputRecords
        self.outputRecords = outputRecords
        self.failedRecords = failedRecords
        self.inputFiles = inputFiles
    }

    /// The number of records written or, if unknown, read.
    package var records: Int64? { outputRecords ?? inputRecords }
}
