import FlowRuns
import Manifests

/// A pure function from declarations and recorded runs to a plan: no clock, no I/O.
///
/// ```swift
/// let snapshot = try await store.snapshot(of: declaration.id)
/// let plan = Planner(asOf: now).plan(declaration, record: snapshot.record, runs: snapshot.runs)
/// ```
package struct Planner: Hashable, Sendable {
    /// The instant up to which windows of series are due.
    package let asOf: Timestamp
    /// Whether plans list the recorded runs that no manifest declares.
    private let listsUndeclared: Bool

    /// Creates a planner for the instant `asOf`.
    package init(asOf: Timestamp, listsUndeclared: Bool = true) {
        self.asOf = asOf
        self.listsUndeclared = listsUndeclared
    }

    /// Plans one flow. All broken rules are collected as diagnostics of the plan.
    ///
    /// For very many recorded runs, use ``FlowPlanning``, which consumes them in chunks.
    ///
    /// - Parameters:
    ///   - declaration: the declaration of the flow.
    ///   - record: the ledger's record of the flow, apart from its runs.
    ///   - runs: all recorded runs of the flow, sorted by window; runs of unknown window come first.
    ///   - replaced: the flows that this one replaces, whose recorded runs count for it.
    ///   - predecessors: the flows that this one comes after. Windows wait where these flows have not succeeded.
    package func plan(
        _ declaration: FlowDeclaration, record: FlowRecord, runs: some Sequence<RecordedRun>,
        replaced: [ReplacedFlow] = [], predecessors: [Predecessor] = []
    ) -> FlowPlan {
        var planning = FlowPlanning(
            declaration, replaced: replaced, predecessors: predecessors, asOf: asOf,
            listsUndeclared: listsUndeclared)
        planning.consume(Array(runs))
        return planning.plan(record: record)
    }
}

/// The planning of one flow whose recorded runs arrive in chunks, so that only one chunk is in memory.
package struct FlowPlanning {
    private var pass: FlowPass

    /// - Parameters: see ``Planner/plan(_:record:runs:replaced:predecessors:)``.
    package init(
        _ declaration: FlowDeclaration, replaced: [ReplacedFlow] = [], predecessors: [Predecessor] = [],
        asOf: Timestamp, listsUndeclared: Bool = true
    ) {
        pass = FlowPass(
            declaration, replaced: replaced, predecessors: predecessors, asOf: asOf, listsUndeclared: listsUndeclared)
    }

    /// Consumes the next recorded runs, sorted by window; runs of unknown window come first.
    package mutating func consume(_ runs: [RecordedRun]) { pass.consume(runs) }

    /// Returns the plan, after all recorded runs were consumed.
    package mutating func plan(record: FlowRecord) -> FlowPlan { pass.finish(record: record) }
}
