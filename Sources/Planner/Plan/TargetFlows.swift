import FlowRuns
import Ledger
import Manifests
import Synchronization

/// The declared flows of a target, and those of them that a command has selected.
///
/// ```swift
/// let plan = try await flows.plan(asOf: asOf, now: now, from: ledger)
/// ```
package struct TargetFlows: Sendable {
    package let target: Target
    /// Every flow of the target, in the order of the manifests.
    package let declared: [FlowDeclaration]
    /// The flows that the command works on.
    package let selected: [FlowDeclaration]
    /// The manifests that declare them, for the plan's provenance.
    private let manifests: [FileDigest]

    package init(
        target: Target, declared: [FlowDeclaration], selected: [FlowDeclaration], manifests: [FileDigest]
    ) {
        self.target = target
        self.declared = declared
        self.selected = selected
        self.manifests = manifests
    }

    /// Returns the same flows with another selection.
    package func selecting(_ flows: Set<FlowID>) -> TargetFlows {
        TargetFlows(
            target: target, declared: declared, selected: declared.filter { flows.contains($0.id) },
            manifests: manifests)
    }

    /// The undeclared flows that selected flows replace. They are read, but never requested.
    package var replaced: [FlowDeclaration] { undeclaredFlows(replacedBy: selected) }

    /// The declared flows, and the undeclared flows that these replace.
    package var declaredAndReplaced: [FlowDeclaration] { declared + undeclaredFlows(replacedBy: declared) }

    private func undeclaredFlows(replacedBy declarations: [FlowDeclaration]) -> [FlowDeclaration] {
        var known = Set(declared.map(\.id))
        return declarations.flatMap { flow in
            flow.replaced.filter { known.insert($0).inserted }.map { id in
                FlowDeclaration(
                    id: id, manifest: flow.manifest, owner: flow.owner, target: flow.target, source: flow.source,
                    acknowledged: flow.acknowledged, place: flow.place)
            }
        }
    }

    // MARK: Planning

    /// Plans the selected flows, and holds the requests over the target's limits on runs.
    ///
    /// - Parameters:
    ///   - asOf: the instant up to which windows are due.
    ///   - now: the time of sending, whose day the daily limits apply to. A plan for the future uses its own day.
    ///   - ledger: the ledger with the recorded runs.
    /// - Throws: `LedgerError` when the ledger cannot be read.
    package func plan(
        asOf: Timestamp, now: Timestamp, from ledger: any LedgerStore
    ) async throws(LedgerError) -> Plan {
        var flows: [FlowPlan] = []
        let predecessors = try await predecessors(asOf: asOf, from: ledger)
        for flow in selected {
            flows.append(try await plan(flow, after: predecessors, asOf: asOf, from: ledger))
        }
        let plan = Plan(asOf: asOf, target: target, manifests: manifests, flows: flows)
        return try await plan.limited(
            countingRunsOf: declared.map(WatchedFlow.init), in: ledger, at: max(asOf, now))
    }

    /// Plans a flow, reading its recorded runs in chunks.
    private func plan(
        _ declaration: FlowDeclaration, after predecessors: [FlowID: Predecessor], asOf: Timestamp,
        from ledger: any LedgerStore
    ) async throws(LedgerError) -> FlowPlan {
        let pass = Mutex(
            FlowPass(
                declaration, replaced: try await ledger.replaced(declaration.replaced),
                predecessors: declaration.predecessors.compactMap { predecessors[$0] }, asOf: asOf))
        let record = Mutex(FlowRecord(id: declaration.id))
        try await ledger.scanRuns(declaration.id) { part in
            record.withLock { $0 = part.record }
            pass.withLock { $0.consume(part.runs) }
            return true
        }
        let scanned = record.withLock { $0 }
        return pass.withLock { $0.plan(record: scanned) }
    }

    /// A flow with its plan and its recorded runs.
    package struct PlannedFlow {
        package let declaration: FlowDeclaration
        package let plan: FlowPlan
        package let record: FlowRecord
        /// The recorded runs, with their windows as far as the service reports or the manifest acknowledges them.
        package let runs: [RecordedRun]
        /// The recorded runs of the flows that this flow replaces, likewise.
        package let replacedRuns: [RecordedRun]
    }

    /// Plans each selected flow and maps it with `view`; the runs of only one flow are in memory at a time.
    ///
    /// - Parameters:
    ///   - asOf: the instant of the plan.
    ///   - now: the time of sending, as in ``plan(asOf:now:from:)``.
    ///   - ledger: the ledger with the recorded runs.
    ///   - findings: diagnostics to add to the plans.
    ///   - view: receives each planned flow.
    /// - Throws: `LedgerError` when the ledger cannot be read.
    package func planned<View>(
        asOf: Timestamp, now: Timestamp, from ledger: any LedgerStore, findings: [FlowID: [Diagnostic]] = [:],
        _ view: (PlannedFlow) -> View
    ) async throws(LedgerError) -> [View] {
        let planner = Planner(asOf: asOf)
        // Limits divide the runs of a day among the flows, so each flow's plan depends on all others.
        let isLimited = target.limits.limitRuns(withThoseOf: selected.map(\.runsPerDay))
        let limited = isLimited ? try await plan(asOf: asOf, now: now, from: ledger).flows : []
        let plans = Dictionary(limited.map { ($0.id, $0) }) { first, _ in first }
        let predecessors = try await predecessors(asOf: asOf, from: ledger)
        var views: [View] = []
        for declaration in selected {
            let snapshot = try await ledger.snapshot(of: declaration.id)
            let replaced = try await ledger.replaced(declaration.replaced)
            let plan =
                plans[declaration.id]
                ?? planner.plan(
                    declaration, record: snapshot.record, runs: snapshot.runs, replaced: replaced,
                    predecessors: declaration.predecessors.compactMap { predecessors[$0] })
            views.append(
                view(
                    PlannedFlow(
                        declaration: declaration, plan: plan.adding(findings[declaration.id] ?? []),
                        record: snapshot.record,
                        runs: declaration.withAcknowledgedWindows(snapshot.runs),
                        replacedRuns: replaced.flatMap { declaration.withAcknowledgedWindows($0.runs) })))
        }
        return views
    }

    /// Plans the flows that selected flows come after; they need not be selected themselves.
    private func predecessors(
        asOf: Timestamp, from ledger: any LedgerStore
    ) async throws(LedgerError) -> [FlowID: Predecessor] {
        let planner = Planner(asOf: asOf)
        var predecessors: [FlowID: Predecessor] = [:]
        for id in Set(selected.flatMap(\.predecessors)) {
            guard let declaration = declared.first(where: { $0.id == id }) else { continue }
            let snapshot = try await ledger.snapshot(of: id)
            let replaced = try await ledger.replaced(declaration.replaced)
            let plan = planner.plan(
                declaration, record: snapshot.record, runs: snapshot.runs, replaced: replaced)
            predecessors[id] = Predecessor(declaration, plan, runs: snapshot.runs + replaced.flatMap(\.runs))
        }
        return predecessors
    }
}

extension LedgerStore {
    /// Reads flows that another one replaces, with their recorded runs.
    ///
    /// - Throws: `LedgerError` when the ledger cannot be read.
    package func replaced(_ flows: [FlowID]) async throws(LedgerError) -> [FlowSnapshot] {
        var replaced: [FlowSnapshot] = []
        for flow in flows { replaced.append(try await snapshot(of: flow)) }
        return replaced
    }
}
