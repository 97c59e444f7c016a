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

    /// A planner of the instant `asOf`.
    package init(asOf: Timestamp) { self.asOf = asOf }

    /// The part of a plan that concerns one flow. Broken rules are collected as its diagnostics, all of them.
    ///
    /// Memory follows the declared windows and the actions found, not the recorded runs, which are read once.
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
        var pass = FlowPass(
            declaration, record: record, runs: AnyIterator(runs.makeIterator()), replaced: replaced,
            predecessors: predecessors, asOf: asOf)
        return pass.run()
    }
}
