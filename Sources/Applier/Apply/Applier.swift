import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// The executor of a plan. Sends each request exactly once: flows in parallel, the requests of one flow one at a time
/// and in window order.
///
/// ```swift
/// let applier = Applier(context: context, wireForm: target.wireForm)
/// let outcome = await applier.apply(plan)
/// ```
package struct Applier: Sendable {
    let context: ApplierContext
    let wireForm: WireForm
    let provenance: Provenance

    /// The treatment of a flow whose record has changed since the plan was made.
    package enum Staleness: Hashable, Sendable {
        /// Sends nothing for the flow: the reviewed requests no longer match the missing ones.
        case refuse
        /// Sends only those requests of the plan that are still missing.
        case reduce
    }

    package init(
        context: ApplierContext, wireForm: WireForm = WireForm(), provenance: Provenance = Provenance()
    ) {
        self.context = context
        self.wireForm = wireForm
        self.provenance = provenance
    }

    /// Applies an approved plan. Checks all flows before the first request is sent, and then applies each of them.
    ///
    /// - Parameters:
    ///   - plan: the plan to apply.
    ///   - staleness: `refuse` for a saved plan, `reduce` for one that has just been made.
    package func apply(_ plan: Plan, staleness: Staleness = .refuse) async -> ApplyOutcome {
        let flows = plan.flows.filter { !$0.actions.isEmpty || $0.isWaiting }
        context.report(.started(flows: flows.count, requests: plan.requestCount))
        let outcome: ApplyOutcome
        do throws(RefreshError) {
            do throws(LedgerError) { try await requireRecheckOfEmbeddedLedger(plan) } catch { throw .ledger(error) }
            let checked = holdingDependents(of: await preflight(flows), in: flows)
            // Limits use the current state: other processes may have made requests since the plan was made, and runs
            // may have ended.
            if staleness == .refuse { try await readRunsUnderWay(of: plan) }
            let limited = try await limited(plan)
            let flows = limited.flows.filter { !$0.actions.isEmpty || $0.isWaiting }
            let outcomes = await apply(flows, checked, limited, staleness)
            outcome = ApplyOutcome(flows: outcomes + plan.heldBack(by: limited))
        } catch {
            let end = context.end(for: error)
            outcome = ApplyOutcome(
                flows: flows.map {
                    FlowOutcome(flow: $0.id, accepted: 0, removed: 0, remaining: $0.actions.count, end: end)
                })
        }
        context.report(.finished(outcome))
        return outcome
    }

    /// Holds the requests over the limits on runs at the service's current time, or at this machine's time if the service's
    /// is unknown.
    private func limited(_ plan: Plan) async throws(RefreshError) -> Plan {
        do throws(LedgerError) {
            return try await plan.limited(
                countingRunsOf: plan.flows.map(WatchedFlow.init), in: context.store,
                at: context.service.serviceTime()?.latest ?? context.time.now())
        } catch { throw .ledger(error) }
    }

    /// Reads which unfinished runs have ended, if a limit counts running runs.
    private func readRunsUnderWay(of plan: Plan) async throws(RefreshError) {
        guard plan.target.limits.running != nil else { return }
        for flow in plan.flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.rules.acknowledged, context)
            guard try await comparison.ledger().runs.contains(where: \.isUnderWay) else { continue }
            comparison.readsRunsUnderWay = true
            do throws(RefreshError) { _ = try await comparison.compare() } catch .service(let error) {
                // An unreadable flow is held later, when it is applied.
                if case .flow = error.scope { continue }
                throw .service(error)
            }
        }
    }

    /// Requires a full comparison of every flow if this machine last used a shared ledger for the target: the embedded
    /// ledger lacks the requests that other machines have made since.
    private func requireRecheckOfEmbeddedLedger(_ plan: Plan) async throws(LedgerError) {
        if !context.store.isShared, context.journal.lastLedgerWasShared() {
            let recorded = try await context.store.flows().map(\.id)
            try await context.store.requireRecheck(
                of: Set(recorded + plan.flows.map(\.id)).sorted(), nonce: context.nonce)
        }
        try context.journal.recordLedger(isShared: context.store.isShared)
    }

    /// Holds flows that come after (`after`) a held flow, or that replace one (`replaces`).
    private func holdingDependents(
        of checked: [FlowID: Result<ServiceFlow?, FlowEnd>], in flows: [FlowPlan]
    ) -> [FlowID: Result<ServiceFlow?, FlowEnd>] {
        var checked = checked
        var isChanged = true
        while isChanged {
            isChanged = false
            for flow in flows {
                guard case .success = checked[flow.id],
                    let heldFlow = (flow.rules.after + flow.rules.replaced).first(where: {
                        checked[$0]?.isHeld ?? false
                    })
                else { continue }
                let name = flows.first { $0.id == heldFlow }?.name ?? heldFlow.description
                checked[flow.id] = .failure(.held("waits for flow \(name), which is held"))
                isChanged = true
            }
        }
        return checked
    }

    /// Checks each flow that has requests against the service's description of it. A flow that does not match its
    /// manifest is held.
    private func preflight(_ flows: [FlowPlan]) async -> [FlowID: Result<ServiceFlow?, FlowEnd>] {
        let specifications = RunSpecifications(context.service)
        let results = await context.inParallel(flows.filter { !$0.actions.isEmpty }) { flow in
            (flow.id, await check(flow, specifications))
        }
        return Dictionary(results) { first, _ in first }
    }

    private func check(_ plan: FlowPlan, _ specifications: RunSpecifications) async -> Result<ServiceFlow?, FlowEnd> {
        guard !context.stop.isRequested else { return .failure(.stopped) }
        do throws(FlowServiceError) {
            let (flow, diagnostics) = try await Preflight(wireForm: wireForm).ask(
                WatchedFlow(plan), context.service, specifications)
            guard !diagnostics.hasErrors else { return .failure(.unfit(diagnostics)) }
            let unknown = try await unknownReplaced(of: plan)
            guard unknown.isEmpty else { return .failure(.unfit(unknown)) }
            for diagnostic in diagnostics { context.report(.noticed(plan.id, diagnostic)) }
            return .success(flow)
        } catch { return .failure(context.end(for: error)) }
    }

    /// A typo in `replaces` would re-ingest the whole history.
    private func unknownReplaced(of plan: FlowPlan) async throws(FlowServiceError) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for id in plan.rules.replaced {
            // An unreadable ledger is reported later, before anything is sent.
            if let snapshot = try? await context.store.snapshot(of: id), !snapshot.runs.isEmpty { continue }
            guard try await context.service.flow(id) == nil else { continue }
            diagnostics.append(.unknownReplaced(id, at: plan.place))
        }
        return diagnostics
    }

    private func apply(
        _ flows: [FlowPlan], _ checked: [FlowID: Result<ServiceFlow?, FlowEnd>], _ plan: Plan, _ staleness: Staleness
    ) async -> [FlowOutcome] {
        // One slot per active flow. A flow that waits for another process's claim releases its slot.
        let slots = Slots(context.limits.parallelFlows)
        let maxPerClaim = context.maxRequestsPerClaim(flows: flows.count { !$0.actions.isEmpty })
        let outcomes = await withTaskGroup(of: FlowOutcome.self) { group in
            for flow in flows {
                // Acquire the slot before starting the task, so that flows start in plan order.
                await slots.acquire()
                group.addTask {
                    var flowApplier = FlowApplier(
                        plan: flow, preflight: checked[flow.id], asOf: plan.asOf, applier: self, slots: slots,
                        staleness: staleness, maxRequestsPerClaim: maxPerClaim)
                    let outcome = await flowApplier.run()
                    await slots.release()
                    context.report(.ended(outcome))
                    return outcome
                }
            }
            return await group.reduce(into: [:]) { $0[$1.flow] = $1 }
        }
        return flows.compactMap { outcomes[$0.id] }
    }
}

extension Result<ServiceFlow?, FlowEnd> {
    fileprivate var isHeld: Bool {
        switch self {
        case .failure(.unfit), .failure(.held), .failure(.unreadable): true
        default: false
        }
    }
}

extension Plan {
    /// Returns the outcomes of the requests that `limited` postpones, for each flow that has any.
    fileprivate func heldBack(by limited: Plan) -> [FlowOutcome] {
        let kept = Dictionary(limited.flows.map { ($0.id, $0.actions.count) }) { first, _ in first }
        return flows.compactMap { flow in
            let count = flow.actions.count - kept[flow.id, default: 0]
            guard count > 0 else { return nil }
            return FlowOutcome(flow: flow.id, accepted: 0, removed: 0, remaining: count, end: .done)
        }
    }
}
