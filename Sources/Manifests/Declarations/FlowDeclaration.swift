import FlowRuns

/// A flow as declared in a manifest: the windows to ingest and the rules for requesting them.
package struct FlowDeclaration: Hashable, Sendable {
    /// The policy for a new window that partly overlaps a recorded or declared one.
    package enum Overlap: String, Hashable, Sendable, CaseIterable {
        /// Refuses the plan.
        case error
        /// Trims the window to the part that is not covered.
        case trim
        /// Requests the window unchanged.
        case allow
    }

    /// The order in which a flow's missing windows are requested.
    package enum Order: String, Hashable, Sendable, CaseIterable {
        case oldestFirst
        case newestFirst
    }

    package let id: FlowID
    package let name: String?
    /// The manifest's `metadata.name`.
    package let manifest: String
    /// The manifest's `metadata.owner`.
    package let owner: String?
    /// The name of the target.
    package let target: String
    package let source: SourceKind
    package let deltaColumn: DeclaredColumn?
    package let overlap: Overlap
    package let retries: Retries
    package let expectation: Expectation?
    package let order: Order
    /// The maximum number of runs of the flow per UTC day; `nil` if only the target limits them.
    package let runsPerDay: Int?
    /// The flow's priority, 0 by default. Flows with a higher priority start first.
    package let priority: Int
    /// The explicit windows, in file order.
    package let windows: [DeclaredWindow]
    package let series: [Series]
    /// The maximum length of a run of adjacent series windows, in the calendar of the series; `nil` requests each window
    /// separately.
    package let batch: Series.Step?
    package let reruns: [Rerun]
    package let acknowledged: [Acknowledgement]
    /// The flow's own pause and its manifest's.
    package let pauses: [Pause]
    /// The replaced flows that the manifest names.
    package let replaces: [Replacement]
    /// All replaced flows, direct and transitive, each once.
    package internal(set) var replaced: [FlowID]
    /// The flows that this one comes after. A window waits until their runs for the same time have succeeded.
    package internal(set) var after: [FlowReference]
    /// The position of the `flowId` value.
    package let place: Place

    package init(
        id: FlowID, name: String? = nil, manifest: String, owner: String? = nil, target: String, source: SourceKind,
        deltaColumn: DeclaredColumn? = nil, overlap: Overlap = .error, retries: Retries = Retries(),
        expectation: Expectation? = nil,
        order: Order = .oldestFirst, runsPerDay: Int? = nil, priority: Int = 0, windows: [DeclaredWindow] = [],
        series: [Series] = [],
        batch: Series.Step? = nil,
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

    /// The name shown to people: the flow's name, or else its ID.
    package var title: String { name ?? id.description }

    /// Returns the position of a declared window, which is always in the flow's own file.
    package func place(of window: DeclaredWindow) -> Place {
        Place(file: place.file, line: Int(window.line), column: Int(window.column))
    }
}

/// A delta column and the position of its declaration.
package struct DeclaredColumn: Hashable, Sendable {
    package let column: DeltaColumn
    package let place: Place

    package init(column: DeltaColumn, place: Place) {
        self.column = column
        self.place = place
    }
}

/// An explicit window. Kept small, because a file can contain a million windows.
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

/// A declared rerun: one more run of a window that was already run, or of every such window that a range touches. The
/// ID makes the rerun happen only once.
package struct Rerun: Hashable, Sendable {
    package let window: Window
    /// Whether ``window`` is a range: every recorded window that it touches runs once more, under the same ID.
    package let isRange: Bool
    package let id: String
    /// The reason for the rerun, for reviewers.
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
    /// Whether the rerun applies to `other`, provided that `other` was run.
    package func touches(_ other: Window) -> Bool { isRange ? window.overlaps(other) : window == other }
}

/// An acknowledged run: a run on the service whose window cannot be read and that would otherwise hold its flow.
package struct Acknowledgement: Hashable, Sendable {
    package let run: RunID
    package let reason: String
    /// The window that the run ingested and for which it counts; `nil` if the run counts for nothing.
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
    /// The IDs of acknowledged runs that count for nothing.
    package var foreignRunIDs: Set<RunID> { Set(lazy.filter { $0.window == nil }.map(\.run)) }

    /// The windows declared for runs whose window cannot be read, by run ID.
    package var declaredWindows: [RunID: Window] {
        Dictionary(compactMap { known in known.window.map { (known.run, $0) } }) { first, _ in first }
    }
}
