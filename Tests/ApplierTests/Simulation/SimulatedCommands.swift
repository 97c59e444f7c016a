import Applier
import FlowRuns
import Ledger
import Manifests
import Planner
import RunRequests

/// What a process of a simulation does: the stages of the commands `apply` and `refresh` on the real code.
struct SimulatedCommands {
    let process: SimulatedProcess

    private var service: SimulatedService { process.service }
    private var declarations: [FlowDeclaration] { service.declarations }

    private var limits: Limits {
        var limits = Limits()
        limits.requestTimeout = process.limits.requestTimeout
        limits.settle = process.limits.settle
        limits.parallelFlows = 2
        let seconds = limits.requestTimeout / .seconds(2)
        let flows = min(service.manifest.flows.count, limits.parallelFlows)
        limits.requestsPerSecond = Double(process.limits.requestsPerClaim * flows) / seconds
        return limits
    }

    private var context: ApplierContext {
        ApplierContext(
            store: UnreliableStore(process: process), journal: process.machine.journal ?? NoJournal(),
            service: UnreliableService(process: process), limits: limits, time: process.machine.clock,
            owner: process.owner, random: { process.random.number() }, stop: process.stop,
            report: { event in
                if case .stillWaiting = event { return }
                process.trace("\(event)")
            })
    }

    func apply() async {
        process.trace("apply begins")
        guard let plan = try? await plan() else { return process.trace("apply cannot plan") }
        // As the command does.
        guard !plan.flows.contains(where: \.diagnostics.hasErrors) else {
            return process.trace("apply ends: the plan breaks a rule")
        }
        let outcome = await Applier(context: context).apply(plan, staleness: process.random.pick([.refuse, .reduce]))
        process.trace("apply ends: \(outcome.flows.map(\.end))")
    }

    func refresh() async {
        process.trace("refresh begins")
        _ = await Refresh(context: context, wireForm: WireForm()).run(
            declarations, readsAll: process.random.happens(0.3))
        process.trace("refresh ends")
    }

    private func plan() async throws(LedgerError) -> Plan {
        let store = UnreliableStore(process: process)
        let asOf = process.machine.clock.now()
        var flows: [FlowPlan] = []
        for declaration in declarations {
            let snapshot = try await store.snapshot(of: declaration.id)
            flows.append(
                Planner(asOf: asOf).plan(
                    declaration, record: snapshot.record, runs: snapshot.runs,
                    replaced: try await store.replaced(declaration.replaced)))
        }
        let target = Target(
            name: "simulated", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "simulated"),
            place: Place(file: "simulated.yaml", line: 1, column: 1))
        return Plan(asOf: asOf, target: target, manifests: [], flows: flows)
    }

    /// What is not as it must be when all is done.
    ///
    /// - Parameter mayBeBlocked: whether somebody's run covers a part of a window, which may stop everything.
    func audit(mayBeBlocked: Bool) async -> [String] {
        var faults: [String] = []
        do {
            let plan = try await plan()
            let errors = plan.flows.flatMap(\.diagnostics).filter { $0.severity == .error }
            if !errors.isEmpty, !mayBeBlocked { faults.append("broken rules: \(errors)") }
            for flow in plan.flows {
                if errors.isEmpty {
                    if !flow.actions.isEmpty { faults.append("not-done: \(flow.actions.map(\.window)) of \(flow.id)") }
                    if !flow.held.isEmpty { faults.append("held: \(flow.held) of \(flow.id)") }
                }
                let store = UnreliableStore(process: process)
                faults += LedgerVerification.violations(in: [try await store.entries(of: flow.id)])
                let snapshot = try await store.snapshot(of: flow.id)
                // A machine without a journal settles claims only while it applies, and an apply does not begin here.
                let open = snapshot.runs.filter(\.state.isDoubtful)
                if !errors.isEmpty, !open.isEmpty { continue }
                if !open.isEmpty { faults.append("open-claim-at-end: \(flow.id)") }
                let recorded = Set(snapshot.runs.compactMap { $0.id?.description })
                for run in service.runs where run.flow == flow.id && !recorded.contains(run.id) {
                    faults.append("not-recorded: \(run.id)")
                }
            }
        } catch { faults.append("the ledger cannot be read: \(error)") }
        return faults
    }
}
