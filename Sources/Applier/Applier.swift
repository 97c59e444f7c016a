import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner
import RunRequests

/// Makes the requests of a plan, each once and only once: flows in parallel, the requests of one flow one at a time in
/// order of their windows.
///
/// ```swift
/// let applier = Applier(ledger: ledger, service: service, limits: target.limits, wireForm: target.wireForm)
/// let outcome = await applier.apply(plan)
/// ```
package struct Applier: Sendable {
    let ledger: any Ledger
    let service: any FlowService
    let limits: Limits
    let wireForm: WireForm
    let time: any TimeSource
    /// A random number in `0 ..< 1`.
    let chance: @Sendable () -> Double
    let provenance: Provenance
    let report: @Sendable (ApplyEvent) -> Void

    /// What to do with a flow whose record has changed since the plan was made.
    package enum Staleness: Hashable, Sendable {
        /// Send nothing of it: what was reviewed is no longer what is missing.
        case refuse
        /// Send what of the plan is still missing.
        case reduce
    }

    package init(
        ledger: any Ledger, service: any FlowService, limits: Limits, wireForm: WireForm = WireForm(),
        time: any TimeSource = SystemTime(), chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        provenance: Provenance = Provenance(), report: @escaping @Sendable (ApplyEvent) -> Void = { _ in }
    ) {
        self.ledger = ledger
        self.service = service
        self.limits = limits
        self.wireForm = wireForm
        self.time = time
        self.chance = chance
        self.provenance = provenance
        self.report = report
    }

    /// Applies a plan. The caller has made sure that it holds no errors and that somebody approved it.
    ///
    /// - Parameters:
    ///   - staleness: `refuse` for a saved plan, `reduce` for one made a moment ago.
    ///   - stop: asks for an end after what is in flight; also set by this apply itself when a fault concerns every
    ///     flow (not authorised, service gone, ledger broken).
    package func apply(
        _ plan: Plan, staleness: Staleness = .refuse, stop: StopSignal = StopSignal()
    ) async -> ApplyOutcome {
        let flows = plan.flows.filter { !$0.actions.isEmpty || $0.isWaiting }
        report(.started(flows: flows.count, requests: plan.requestCount))
        let looks = await FlowLooks(
            world: self, stop: stop, specifications: RunSpecifications(service)
        ).look(at: flows.filter { !$0.actions.isEmpty })
        if looks.values.contains(where: \.isConflict) { stop.request() }
        var outcomes: [FlowOutcome] = []
        await withTaskGroup(of: FlowOutcome.self) { group in
            for (index, flow) in flows.enumerated() {
                if index >= limits.parallelFlows, let outcome = await group.next() { outcomes.append(outcome) }
                group.addTask {
                    var application = FlowApplication(
                        plan: flow, look: looks[flow.id], asOf: plan.asOf, world: self, stop: stop,
                        staleness: staleness)
                    let outcome = await application.run()
                    report(.ended(outcome))
                    return outcome
                }
            }
            for await outcome in group { outcomes.append(outcome) }
        }
        let outcome = ApplyOutcome(flows: outcomes)
        report(.finished(outcome))
        return outcome
    }
}

extension FlowLooks.Look {
    fileprivate var isConflict: Bool {
        if case .failure(let fault) = self, case .conflict = fault.end { true } else { false }
    }
}
