import FlowRuns

/// What a manifest says of one flow: which windows it must ingest, and by what rules.
public struct FlowDeclaration: Hashable, Sendable {
    /// What a new window that partly covers a recorded or declared one means.
    public enum Overlap: String, Hashable, Sendable, CaseIterable {
        /// Refuse the plan.
        case error
        /// Cut the window down to what is not covered.
        case trim
        /// Send it all the same.
        case allow
    }

    public let id: FlowID
    public let name: String?
    /// `metadata.name` and `metadata.owner` of the manifest.
    public let manifest: String
    public let owner: String?
    /// The name of the target.
    public let target: String
    public let source: SourceKind
    public let deltaColumn: DeclaredColumn?
    public let overlap: Overlap
    /// How often a failed run of a window may be retried.
    public let retryFailed: Int
    /// In the order in which they stand in the file.
    public let windows: [DeclaredWindow]
    public let series: [Series]
    public let reruns: [Rerun]
    public let acknowledged: [Acknowledgement]
    /// Where `flowId`'s value stands.
    public let place: Place

    public init(
        id: FlowID, name: String? = nil, manifest: String, owner: String? = nil, target: String, source: SourceKind,
        deltaColumn: DeclaredColumn? = nil, overlap: Overlap = .error, retryFailed: Int = 0,
        windows: [DeclaredWindow] = [], series: [Series] = [], reruns: [Rerun] = [],
        acknowledged: [Acknowledgement] = [], place: Place
    ) {
        self.id = id
        self.name = name
        self.manifest = manifest
        self.owner = owner
        self.target = target
        self.source = source
        self.deltaColumn = deltaColumn
        self.overlap = overlap
        self.retryFailed = retryFailed
        self.windows = windows
        self.series = series
        self.reruns = reruns
        self.acknowledged = acknowledged
        self.place = place
    }

    /// The place of a declared window: the file is the flow's own.
    public func place(of window: DeclaredWindow) -> Place {
        Place(file: place.file, line: Int(window.line), column: Int(window.column))
    }
}

/// A delta column and where it is declared.
public struct DeclaredColumn: Hashable, Sendable {
    public let column: DeltaColumn
    public let place: Place

    public init(column: DeltaColumn, place: Place) {
        self.column = column
        self.place = place
    }
}

/// An explicit window. A file may hold a million, so it keeps its times and its place and nothing else.
public struct DeclaredWindow: Hashable, Sendable {
    public let window: Window
    public let line: UInt32
    public let column: UInt32

    public init(window: Window, line: UInt32, column: UInt32) {
        self.window = window
        self.line = line
        self.column = column
    }
}

/// One more run of a window that was run before, asked for by name so that it happens once.
public struct Rerun: Hashable, Sendable {
    public let window: Window
    public let id: String
    /// What the reviewer reads.
    public let reason: String
    public let place: Place

    public init(window: Window, id: String, reason: String, place: Place) {
        self.window = window
        self.id = id
        self.reason = reason
        self.place = place
    }
}

/// A run on the service whose window cannot be read, and which therefore would hold its flow.
public struct Acknowledgement: Hashable, Sendable {
    public let run: RunID
    public let reason: String
    /// The window that the run ingested; it counts as a run of that window. Without one it counts for nothing.
    public let window: Window?
    public let place: Place

    public init(run: RunID, reason: String, window: Window? = nil, place: Place) {
        self.run = run
        self.reason = reason
        self.window = window
        self.place = place
    }
}
