import FlowRuns
import Ledger
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

    /// Creates a planner for the instant `asOf`.
    package init(asOf: Timestamp) { self.asOf = asOf }

    /// Plans one flow. All broken rules are collected as diagnostics of the plan.
    ///
    /// For very many recorded runs, use ``FlowPass``, which consumes them in chunks.
    ///
    /// - Parameters:
    ///   - declaration: the declaration of the flow.
    ///   - record: the ledger's record of the flow, apart from its runs.
    ///   - runs: all recorded runs of the flow, sorted by window; runs of unknown window come first.
    ///   - replaced: the flows that this one replaces, whose recorded runs count for it.
    ///   - predecessors: the flows that this one comes after. Windows wait where these flows have not succeeded.
    package func plan(
        _ declaration: FlowDeclaration, record: FlowRecord, runs: some Sequence<RecordedRun>,
        replaced: [FlowSnapshot] = [], predecessors: [Predecessor] = []
    ) -> FlowPlan {
        var pass = FlowPass(declaration, replaced: replaced, predecessors: predecessors, asOf: asOf)
        pass.consume(Array(runs))
        return pass.plan(record: record)
    }
}

extension [FlowSnapshot] {
    /// The runs of all replaced flows, sorted by window; runs of unknown window come first.
    var runsByWindow: [RecordedRun] {
        guard let first else { return [] }
        guard count > 1 else { return first.runs }
        return flatMap(\.runs).sorted { left, right in
            guard let leftWindow = left.window, let rightWindow = right.window else {
                return left.window == nil && right.window != nil
            }
            return leftWindow < rightWindow
        }
    }
}
