/// A run as the service lists it.
package struct ObservedRun: Hashable, Sendable {
    package let id: RunID
    /// From its `params`, else from its copy activity, else unknown.
    package let window: Window?
    package let createdAt: Timestamp
    /// The client id that made it; `nil` where the service does not tell.
    package let createdClient: String?
    /// The service's own word: `scheduled`, `inProgress`, `success`, …
    package let status: String
    /// How it ended; `nil` while it has not.
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

/// How a run ended on the service.
package struct RunEnd: Hashable, Sendable {
    /// `succeeded`, `partial` or `failed`.
    package let state: RunState
    /// Why it failed or is partial: codes and messages, in the service's words.
    package let failure: String?

    package init(state: RunState, failure: String? = nil) {
        self.state = state
        self.failure = failure
    }
}

/// How much a run moved, as far as the service tells.
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

    /// Those that were written, or else read.
    package var records: Int64? { outputRecords ?? inputRecords }
}
