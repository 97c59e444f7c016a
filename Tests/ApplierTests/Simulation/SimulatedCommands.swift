import Applier
import FlowRuns
import Ledger
import Manifests
import Planner

/// What a process of a simulation does: the stages of the commands `apply` and `refresh` on the real code.
struct SimulatedCommands {
    let process: SimulatedProcess

    private var service: SimulatedService { process.service }
    private var declarations: [FlowDeclaration] { service.declarations(at: process.manifestTime) }

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

    /// The store with the retries that a shared ledger has.
    private var retryingStore: RetryingStore {
        let clock = process.machine.clock
        let start = clock.monotonic()
        return RetryingStore(
            UnreliableStore(process: process), reads: .zero, commits: .seconds(60),
            clock: RetryClock(now: { clock.monotonic() - start }, sleep: { await clock.sleep($0) }))
    }

    private var context: ApplierContext {
        ApplierContext(
            store: retryingStore, journal: process.journal ?? NoJournal(),
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
        await apply(plan, staleness: process.random.pick([.refuse, .reduce]))
    }

    /// - Returns: `nil` if the ledger cannot be read.
    func savePlan(ahead: Duration) async -> Plan? {
        process.trace("plan begins, as of \(ahead) ahead")
        guard let plan = try? await plan(ahead: ahead) else { return nil }
        process.trace("plan SAVED with \(plan.requestCount) requests")
        return plan
    }

    func apply(saved plan: Plan) async {
        process.trace("apply of a saved plan begins")
        await apply(plan, staleness: .refuse)
    }

    private func apply(_ plan: Plan, staleness: Applier.Staleness) async {
        // As the command does.
        guard !plan.flows.contains(where: \.diagnostics.hasErrors) else {
            return process.trace("apply ends: the plan breaks a rule")
        }
        let outcome = await Applier(context: context).apply(plan, staleness: staleness)
        process.trace("apply ends: \(outcome.flows.map(\.end))")
        if process.isAlive { process.machine.noteUse() }
    }

    /// - Parameter readsAll: drawn if `nil`.
    func refresh(readsAll: Bool? = nil) async {
        process.trace("refresh begins")
        _ = await Refresh(context: context, wireForm: WireForm()).run(
            declarations + replacedFlows, readsAll: readsAll ?? process.random.happens(0.3))
        process.trace("refresh ends")
    }

    /// Undeclared flows that declared flows replace. The command reads them, too.
    private var replacedFlows: [FlowDeclaration] {
        let declared = Set(declarations.map(\.id))
        return declarations.flatMap { flow in
            flow.replaced.filter { !declared.contains($0) }.map { id in
                FlowDeclaration(
                    id: id, manifest: flow.manifest, target: flow.target, source: flow.source,
                    acknowledged: flow.acknowledged, place: flow.place)
            }
        }
    }

    private func plan(ahead: Duration = .zero) async throws(LedgerError) -> Plan {
        let store = UnreliableStore(process: process)
        let asOf = process.machine.clock.now() + ahead
        let declarations = declarations
        process.noteTold(
            Dictionary(declarations.flatMap { $0.acknowledged.declaredWindows.map { ($0, $1) } }) { first, _ in first })
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

    // MARK: The end

    /// What is not as it must be when all is done.
    ///
    /// - Parameter mayBeBlocked: whether a foreign run covers a part of a window, which may block the flow.
    func audit(mayBeBlocked: Bool) async -> [String] {
        var faults: [String] = []
        do {
            let plan = try await plan()
            let errors = plan.flows.flatMap(\.diagnostics).filter { $0.severity == .error }
            if !errors.isEmpty, !mayBeBlocked { faults.append("broken rules: \(errors)") }
            for flow in plan.flows {
                if errors.isEmpty {
                    if !flow.actions.isEmpty { faults.append("not-done: \(flow.actions.map(\.window)) of \(flow.id)") }
                    let held = flow.held.filter { !$0.cause.isPostponed }
                    if !held.isEmpty { faults.append("held: \(held) of \(flow.id)") }
                    faults += neglected(by: flow)
                }
                let store = UnreliableStore(process: process)
                faults += LedgerVerification.violations(in: [try await store.entries(of: flow.id)])
                let snapshot = try await store.snapshot(of: flow.id)
                // A machine without a journal settles claims only while it applies, and an apply does not begin here.
                let open = snapshot.runs.filter(\.state.isDoubtful)
                if !errors.isEmpty, !open.isEmpty { continue }
                if !open.isEmpty { faults.append("open-claim-at-end: \(flow.id)") }
                faults += misrecorded(snapshot.runs, of: flow.id)
            }
        } catch { faults.append("the ledger cannot be read: \(error)") }
        return faults
    }

    /// The service's runs that the ledger lacks, or whose end it has otherwise.
    private func misrecorded(_ rows: [RecordedRun], of flow: FlowID) -> [String] {
        var faults: [String] = []
        let recorded = Dictionary(rows.compactMap { run in run.id.map { ($0.description, run) } }) { first, _ in
            first
        }
        for run in service.runs where run.flow == flow {
            guard let known = recorded[run.id] else {
                faults.append("not-recorded: \(run.id)")
                continue
            }
            guard run.stage(at: service.now) == .ended else { continue }
            let state: RunState =
                switch run.outcome(at: service.now) {
                case .success, .empty: .succeeded
                case .partial: .partial
                case .failed: .failed
                }
            let isEmpty = service.habits.tellsCounts && run.outcome == .empty
            // A run that was retried as failed keeps its end, if it succeeds when `settle` has long passed.
            let isLate = run.lateEnd.map { $0.delay >= process.limits.settle } ?? false
            if isLate, known.isReplaced(by: rows) { continue }
            if known.state != state || known.isEmpty != isEmpty {
                faults.append(
                    "end-not-recorded: \(run.id.prefix(8)) is \(run.outcome), recorded as \(known.state)"
                        + (known.isEmpty ? " without records" : ""))
            }
        }
        return faults
    }

    /// Declared windows that are neither ingested nor retried to the limit, and that the plan does not mention.
    private func neglected(by plan: FlowPlan) -> [String] {
        guard let flow = service.manifest.flow(plan.id, at: process.manifestTime) else { return [] }
        var faults: [String] = []
        let now = service.now
        let own = service.ownRuns
        let runs = service.runs.filter { flow.counts(runsOf: $0.flow) }
        for window in flow.allWindows {
            let overlapping = runs.filter { $0.window?.overlaps(window) ?? false }
            let isNamed =
                plan.held.contains { $0.window.overlaps(window) }
                || plan.actions.contains { $0.window.overlaps(window) }
            if isNamed { continue }
            // A re-trigger that was answered with a known run uses up an attempt, whether or not it made another run.
            let echoed = overlapping.reduce(0) { $0 + service.echoCount(of: $1) }
            // Of the window, of a piece of it that is left, or of one that an applier requested. A failed run by hand of a
            // whole batch counts as an attempt at that batch, too.
            let requested = Set(overlapping.filter { own.contains($0.id) }.compactMap(\.window)).union([window])
                .union(service.uncoveredPieces(of: window, of: flow))
            let failed = overlapping.count { run in
                run.hasFailed(at: now) && run.window.map { requested.contains($0) || flow.mayBeBatch($0) } ?? false
            }
            let attempts = failed + echoed
            if !service.isCovered(window, of: flow), attempts < 1 + flow.retries.times {
                faults.append("not-covered: \(window) of \(plan.id)")
            }
            // Partial and empty runs of a replaced flow count as recorded, and so do runs that were acknowledged without a
            // window.
            let exact = overlapping.filter { $0.window == window && $0.flow == plan.id }
            if !exact.isEmpty, exact.count == overlapping.count, flow.reruns.isEmpty,
                !exact.contains(where: service.acknowledgements.isForeign),
                exact.allSatisfy({ $0.stage(at: now) == .ended && $0.outcome(at: now).isRetried(by: flow.retries) }),
                exact.count + echoed < 1 + flow.retries.times
            {
                faults.append("not-retried: \(window) of \(plan.id), \(exact.map(\.outcome))")
            }
        }
        return faults
    }
}

extension RecordedRun {
    /// Whether another request for its window is under way or has brought records.
    fileprivate func isReplaced(by rows: [RecordedRun]) -> Bool {
        origin == .request && !isActiveRequest
            && rows.attempts(at: identity.key).contains { $0.identity != identity && $0.isActiveRequest }
    }
}
