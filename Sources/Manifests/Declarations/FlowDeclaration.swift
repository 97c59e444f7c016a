import FlowRuns

/// What a manifest says of one flow: which windows it must ingest, and by what rules.
package struct FlowDeclaration: Hashable, Sendable {
    /// What a new window that partly covers a recorded or declared one means.
    package enum Overlap: String, Hashable, Sendable, CaseIterable {
        /// Refuse the plan.
        case error
        /// Cut the window down to what is not covered.
        case trim
        /// Send it all the same.
        case allow
    }

    /// Which of its missing windows are requested first.
    package enum Order: String, Hashable, Sendable, CaseIterable {
        case oldestFirst
        case newestFirst
    }

    package let id: FlowID
    package let name: String?
    /// `metadata.name` and `metadata.owner` of the manifest.
    package let manifest: String
    package let owner: String?
    /// The name of the target.
    package let target: String
    package let source: SourceKind
    package let deltaColumn: DeclaredColumn?
    package let overlap: Overlap
    package let retries: Retries
    package let expectation: Expectation?
    package let order: Order
    /// How many runs of the flow may be requested in a day of UTC; `nil` for as many as the target allows.
    package let runsPerDay: Int?
    /// Flows of a higher one begin first; 0 unless the manifest says otherwise.
    package let priority: Int
    /// In the order in which they stand in the file.
    package let windows: [DeclaredWindow]
    package let series: [Series]
    /// `nil` asks for each window alone.
    package let batch: SeriesBatch?
    package let reruns: [Rerun]
    package let acknowledged: [Acknowledgement]
    /// Its own and its manifest's.
    package let pauses: [Pause]
    /// The flows that it replaces, as it names them.
    package let replaces: [Replacement]
    /// The same, and those that they replace in their turn: each once.
    package internal(set) var replaced: [FlowID]
    /// The flows that it comes after: a window waits until their runs of it have succeeded.
    package internal(set) var after: [FlowReference]
    /// Where the value of `flowId` is.
    package let place: Place

    package init(
        id: FlowID, name: String? = nil, manifest: String, owner: String? = nil, target: String, source: SourceKind,
        deltaColumn: DeclaredColumn? = nil, overlap: Overlap = .error, retries: Retries = Retries(),
        expectation: Expectation? = nil,
        order: Order = .oldestFirst, runsPerDay: Int? = nil, priority: Int = 0, windows: [DeclaredWindow] = [],
        series: [Series] = [],
        batch: SeriesBatch? = nil,
        reruns: [Rerun] = [],
        acknowledged: [Acknowledgement] = [], pauses: [Pause] = [], replaces: [Replacement] = [],
        replaced: [FlowID]? = nil, after: [FlowReference] = [], place: Place
    ) {
        self.id = id
        self.name = name
        self.manifest = manifest
        self.owner = owner
        self.target = target
        self.source = source
        self.deltaColumn = deltaColumn
        self.overlap = overlap
        self.retries = retries
        self.expectation = expectation
        self.order = order
        self.runsPerDay = runsPerDay
        self.priority = priority
        self.windows = windows
        self.series = series
        self.batch = batch
        self.reruns = reruns
        self.acknowledged = acknowledged
        self.pauses = pauses
        self.replaces = replaces
        self.replaced = replaced ?? replaces.map(\.flow)
        self.after = after
        self.place = place
    }

    /// By which people know the flow: its name, or else its id.
    package var title: String { name ?? id.description }

    /// The place of a declared window: the file is the flow's own.
    package func place(of window: DeclaredWindow) -> Place {
        Place(file: place.file, line: Int(window.line), column: Int(window.column))
    }
}

/// A delta column and where it is declared.
package struct DeclaredColumn: Hashable, Sendable {
    package let column: DeltaColumn
    package let place: Place

    package init(column: DeltaColumn, place: Place) {
        self.column = column
        self.place = place
    }
}

/// An explicit window. A file may hold a million, so it keeps its times and its place and nothing else.
package struct DeclaredWindow: Hashable, Sendable {
    package let window: Window
    package let line: UInt32
    package let column: UInt32

    package init(window: Window, line: UInt32, column: UInt32) {
        self.window = window
        self.line = line
        self.column = column
    }
}

/// One more run of a window that was run before, or of every such window that a range touches; asked for by name so that
/// it happens once.
package struct Rerun: Hashable, Sendable {
    package let window: Window
    /// Whether ``window`` is a range: every recorded window that it touches runs once more, under the same id.
    package let isRange: Bool
    package let id: String
    /// What the reviewer reads.
    package let reason: String
    package let place: Place

    package init(window: Window, isRange: Bool = false, id: String, reason: String, place: Place) {
        self.window = window
        self.isRange = isRange
        self.id = id
        self.reason = reason
        self.place = place
    }
}

extension Rerun {
    /// Whether it asks for one more run of the window, once that was run.
    package func touches(_ other: Window) -> Bool { isRange ? window.overlaps(other) : window == other }
}

/// A run on the service whose window cannot be read, and which therefore would hold its flow.
package struct Acknowledgement: Hashable, Sendable {
    package let run: RunID
    package let reason: String
    /// The window that the run ingested; it counts as a run of that window. Without one it counts for nothing.
    package let window: Window?
    package let place: Place

    package init(run: RunID, reason: String, window: Window? = nil, place: Place) {
        self.run = run
        self.reason = reason
        self.window = window
        self.place = place
    }
}

extension [Acknowledgement] {
    /// Runs of unknown window that count for nothing.
    package var somebodyElses: Set<RunID> { Set(lazy.filter { $0.window == nil }.map(\.run)) }

    /// The windows that they tell of runs whose window cannot be read.
    package var toldWindows: [RunID: Window] {
        Dictionary(compactMap { known in known.window.map { (known.run, $0) } }) { first, _ in first }
    }
}
