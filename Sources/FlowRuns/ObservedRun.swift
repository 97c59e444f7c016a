/// A run as the service lists it.
public struct ObservedRun: Hashable, Sendable {
    public let id: RunID
    /// From its `params`, else from its copy activity, else unknown.
    public let window: Window?
    public let createdAt: Timestamp
    /// The client id that made it; `nil` where the service does not tell.
    public let createdClient: String?
    /// The service's own word: `scheduled`, `inProgress`, `success`, …
    public let status: String
    /// How it ended; `nil` while it has not.
    public let end: RunEnd?
    /// Records read, written and failed, as far as it tells.
    public let counts: RunCounts

    public init(
        id: RunID, window: Window?, createdAt: Timestamp, createdClient: String? = nil, status: String,
        end: RunEnd?, counts: RunCounts = RunCounts()
    ) {
        self.id = id
        self.window = window
        self.createdAt = createdAt
        self.createdClient = createdClient
        self.status = status
        self.end = end
        self.counts = counts
    }
}

/// How a run ended on the service.
public struct RunEnd: Hashable, Sendable {
    /// `succeeded`, `partial` or `failed`.
    public let state: RunState
    /// Why it failed or is partial: codes and messages, in the service's words.
    public let failure: String?

    public init(state: RunState, failure: String? = nil) {
        self.state = state
        self.failure = failure
    }
}

/// How much a run moved, as far as the service tells.
public struct RunCounts: Hashable, Sendable {
    public var inputRecords: Int64?
    public var outputRecords: Int64?
    public var failedRecords: Int64?
    public var inputFiles: Int64?

    public init(
        inputRecords: Int64? = nil, outputRecords: Int64? = nil, failedRecords: Int64? = nil, inputFiles: Int64? = nil
    ) {
        self.inputRecords = inputRecords
        self.outputRecords = outputRecords
        self.failedRecords = failedRecords
        self.inputFiles = inputFiles
    }
}
