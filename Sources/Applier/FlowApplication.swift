import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Applies one flow's plan: lock, look at the flow, resolve doubts, check once more, then claim, send and record request
/// by request, in order of window.
struct FlowApplication {
    /// How often a request that is surely not taken is sent again before the service counts as unavailable.
    static let maxAttempts = 8
    /// How many doubts in a row may turn out to be requests that were not taken, before an apply leaves the rest for
    /// later.
    static let vainDoubtsAtMost = 3

    let plan: FlowPlan
    /// What the service says of the flow; `nil` where nothing is to be sent.
    let look: FlowLooks.Look?
    let asOf: Timestamp
    let world: Applier
    let stop: StopSignal
    let staleness: Applier.Staleness

    /// What may be sent, and of what kind.
    let approved: [Approval: PlannedAction.Kind]

    private var accepted = 0
    private var removed = 0
    private var vainDoubts = 0

    init(
        plan: FlowPlan, look: FlowLooks.Look?, asOf: Timestamp, world: Applier, stop: StopSignal,
        staleness: Applier.Staleness
    ) {
        self.plan = plan
        self.look = look
        self.asOf = asOf
        self.world = world
        self.stop = stop
        self.staleness = staleness
        approved = Dictionary(plan.actions.map { (Approval($0), $0.kind) }) { first, _ in first }
    }

    /// Never throws: whatever happens becomes part of the outcome.
    mutating func run() async -> FlowOutcome {
        if case .failure(let fault) = look { return outcome(fault.end) }
        if stop.isRequested { return outcome(.stopped) }
        do throws(LedgerError) {
            guard let lock = try await world.ledger.lock(plan.id) else { return outcome(.locked) }
            let end: FlowOutcome.End
            do throws(LedgerError) { end = try await run(under: lock) } catch {
                await lock.release()
                throw error
            }
            await lock.release()
            return outcome(end)
        } catch {
            stop.request()
            return outcome(.ledgerFailed(error))
        }
    }

    private func outcome(_ end: FlowOutcome.End) -> FlowOutcome {
        FlowOutcome(
            flow: plan.id, accepted: accepted, removed: removed, remaining: plan.actions.count - accepted - removed,
            end: end)
    }

    private mutating func run(under lock: any FlowLock) async throws(LedgerError) -> FlowOutcome.End {
        let record = try await world.ledger.record(of: plan.id)
        if staleness == .refuse, record.revision != plan.revision {
            let entries = try await world.ledger.entries(of: [plan.id])
            return .stale(StalePlan(plan: plan, entries: entries).changes)
        }
        if let end = try await readStrangeRuns(record, lock) { return end }
        if let end = try await readUnknownWindows() { return end }
        if let end = try await resolveDoubts() { return end }
        while true {
            switch try await send(try await currentAgenda()) {
            case .allAccepted: return .done
            case .end(let end): return end
            case .doubted(let reason):
                vainDoubts += 1
                if let end = try await resolveDoubts() { return end }
                if vainDoubts >= Self.vainDoubtsAtMost {
                    return .unavailable("\(vainDoubts) requests in a row failed and were not taken: \(reason)")
                }
            }
        }
    }

    /// Runs of unknown window that the manifest calls somebody else's.
    var acknowledged: Set<RunID> { Set(plan.rules.acknowledged.map(\.run)) }

    /// Whether a run of unknown window, which no manifest acknowledges, is among them.
    func isHeld(by runs: [RecordedRun]) -> Bool {
        let acknowledged = acknowledged
        return runs.contains { $0.window == nil && !($0.id.map(acknowledged.contains) ?? false) }
    }

    /// A request of the plan was taken, by its answer or found later.
    mutating func noteAccepted() {
        accepted += 1
        vainDoubts = 0
    }

    // MARK: Before sending

    /// Reads the flow's runs at first contact, and when it has a run or a column that the ledger does not know: somebody
    /// else is at work on it, with another ledger or with none.
    ///
    /// - Returns: how the flow ends, when it may not be sent to.
    private mutating func readStrangeRuns(
        _ record: FlowRecord, _ lock: any FlowLock
    ) async throws(LedgerError) -> FlowOutcome.End? {
        let flow = try? look?.get()
        do throws(FlowRefresh.Failure) {
            if record.contactedAt == nil {
                if let claimedAt = lock.strangeClaimAt, await !waitUntilListed(claimedAt) { return .stopped }
                let findings = try await refresh(column: flow?.deltaColumn)
                world.report(.contacted(plan.id, runsFound: findings.runsRead))
            } else if let flow, flow.isStrange(to: record, try await recorded()) {
                _ = try await refresh(column: flow.deltaColumn, depth: .changes)
            }
            return nil
        } catch { return try end(for: error) }
    }

    private func recorded() async throws(FlowRefresh.Failure) -> [RecordedRun] {
        do { return try await world.ledger.runs(of: plan.id) } catch { throw .ledger(error) }
    }

    /// A request of which this ledger knows nothing may have been taken, and not be listed yet.
    ///
    /// - Returns: `false` when told to stop meanwhile.
    private func waitUntilListed(_ claimedAt: Timestamp) async -> Bool {
        let left = claimedAt + world.limits.settle - world.time.now()
        guard left > .zero else { return true }
        world.report(
            .waiting(
                plan.id, left, reason: "a request that this ledger does not know may not be listed yet")
        )
        await world.time.pause(left, unless: stop)
        return !stop.isRequested
    }

    private enum Agenda {
        case actions([PlannedAction])
        case end(FlowOutcome.End)
    }

    /// What of the approved plan is still missing by what the ledger knows now. Whatever is new is left to another
    /// plan: nothing is sent that was not approved.
    private mutating func currentAgenda() async throws(LedgerError) -> Agenda {
        let runs = try await world.ledger.runs(of: plan.id)
        guard !plan.actions.isEmpty else {
            // Doubts are resolved by now; a run of unknown window goes on holding what another plan would ask for.
            if isHeld(by: runs), let held = plan.held.first { return .end(.held(held.reason)) }
            return .actions([])
        }
        let record = try await world.ledger.record(of: plan.id)
        let current = Planner(asOf: asOf).plan(plan.approvedDeclaration, record: record, runs: runs)
        if current.diagnostics.hasErrors {
            return .end(.conflict(current.diagnostics.filter { $0.severity == .error }))
        }
        if let held = current.held.first { return .end(.held(held.reason)) }
        let actions = current.actions.filter { approved[Approval($0)] == $0.kind }
        let needless = plan.actions.count - accepted - actions.count
        if needless > removed {
            world.report(.removed(plan.id, count: needless - removed))
            removed = needless
        }
        return .actions(actions)
    }

    // MARK: Sending

    private enum Progress {
        case allAccepted
        case doubted(String)
        case end(FlowOutcome.End)
    }

    private mutating func send(_ agenda: Agenda) async throws(LedgerError) -> Progress {
        let actions: [PlannedAction]
        switch agenda {
        case .end(let end): return .end(end)
        case .actions(let missing): actions = missing
        }
        for action in actions {
            switch try await send(action) {
            case .accepted: noteAccepted()
            case .doubted(let reason): return .doubted(reason)
            case .end(let end): return .end(end)
            }
        }
        return .allAccepted
    }

    /// Waits for this request's turn under the target's rate limit.
    func takeTurn() async {
        await world.service.takeTurn()
    }

    /// How the flow ends when the service could not be read.
    func end(for failure: FlowRefresh.Failure) throws(LedgerError) -> FlowOutcome.End {
        if case .ledger(let error) = failure { throw error }
        return failure.end(stop)
    }
}

extension ServiceFlow {
    /// Whether it has a last run, or a delta column, that the ledger does not know.
    fileprivate func isStrange(to record: FlowRecord, _ runs: [RecordedRun]) -> Bool {
        if let lastRun, !runs.contains(where: { $0.id == lastRun }) { return true }
        let known = record.deltaColumn ?? runs.lazy.compactMap(\.deltaColumn).first
        return deltaColumn != nil && deltaColumn?.name != known?.name
    }
}
