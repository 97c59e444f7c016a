import FlowRuns
import Manifests

/// Compares what manifests declare with what the ledger has recorded. A pure function: no clock, no I/O.
///
/// ```swift
/// let plan = Planner(asOf: now).plan(declaration, record: ledger.record(of: flow), runs: ledger.runs(of: flow))
/// ```
package struct Planner: Hashable, Sendable {
    /// The instant up to which windows of series are due.
    package let asOf: Timestamp
    /// Whether a plan tells which recorded runs no manifest declares.
    private let listsUndeclared: Bool

    /// A planner of the instant `asOf`.
    package init(asOf: Timestamp, listsUndeclared: Bool = true) {
        self.asOf = asOf
        self.listsUndeclared = listsUndeclared
    }

    /// The part of a plan that concerns one flow. Broken rules are collected as its diagnostics, all of them.
    ///
    /// Where there are very many recorded runs, ``FlowPlanning`` takes them a part at a time.
    ///
    /// - Parameters:
    ///   - record: what the ledger knows of the flow besides its runs.
    ///   - runs: the flow's recorded runs, all of them, sorted by window; those of unknown window first.
    ///   - replaced: the flows that it replaces: what they have recorded counts for it.
    ///   - predecessors: the flows that it comes after: where they have not succeeded, it waits.
    package func plan(
        _ declaration: FlowDeclaration, record: FlowRecord, runs: some Sequence<RecordedRun>,
        replaced: [ReplacedFlow] = [], predecessors: [Predecessor] = []
    ) -> FlowPlan {
        var planning = FlowPlanning(
            declaration, replaced: replaced, predecessors: predecessors, asOf: asOf,
            listsUndeclared: listsUndeclared)
        planning.take(Array(runs))
        return planning.plan(record: record)
    }
}

/// The planning of one flow whose recorded runs come a part at a time, so that only a part is in memory.
package struct FlowPlanning {
    private var pass: FlowPass

    /// - Parameters: as of ``Planner/plan(_:record:runs:replaced:predecessors:)``.
    package init(
        _ declaration: FlowDeclaration, replaced: [ReplacedFlow] = [], predecessors: [Predecessor] = [],
        asOf: Timestamp, listsUndeclared: Bool = true
    ) {
        pass = FlowPass(
            declaration, replaced: replaced, predecessors: predecessors, asOf: asOf, listsUndeclared: listsUndeclared)
    }

    /// Takes the next recorded runs, in the order of their windows; those of unknown window come first.
    package mutating func take(_ runs: [RecordedRun]) { pass.take(runs) }

    /// The plan, once all recorded runs were taken.
    package mutating func plan(record: FlowRecord) -> FlowPlan { pass.finish(record: record) }
}
