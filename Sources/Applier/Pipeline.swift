import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// An apply, from the manifests to the end of its runs, in stages with a value at each border:
///
/// 1. **Load.** Files become `TargetFlows`, or diagnostics (`ManifestLoader`; the caller reads the files).
/// 2. **Plan.** `TargetFlows` and the recorded runs become a `Plan` (`TargetFlows.plan(asOf:now:from:)`), after the runs
///    that windows or limits wait for were read from the service.
/// 3. **Limit.** The plan holds what exceeds the limits on runs. A plan with more requests than one apply may make is
///    refused (`Plan.excess(over:)`).
/// 4. **Confirm.** A person sees the plan and agrees to it.
/// 5. **Preflight.** Each flow is compared with the service's description of it (``Applier/apply(_:staleness:)``).
/// 6. **Apply.** Each request is claimed, sent and recorded: the `Plan` becomes an ``ApplyOutcome`` (`FlowApplier`).
/// 7. **Wait.** The runs end: a ``WaitOutcome`` (``RunWait``).
///
/// ``ApplyLoop`` decides which stage is next. `plan`, `status` and `report` end after stage 2; `refresh` only reads.
package struct Pipeline<Interaction: ApplyInteraction> {
    private let flows: TargetFlows
    private let ledger: any LedgerStore
    private let interaction: Interaction
    private let options: ApplyOptions

    package init(
        _ flows: TargetFlows, ledger: any LedgerStore, interaction: Interaction, options: ApplyOptions
    ) {
        self.flows = flows
        self.ledger = ledger
        self.interaction = interaction
        self.options = options
    }

    /// Plans, and applies what a person confirms, until nothing more can be requested.
    ///
    /// - Throws: ``PipelineError``, and the errors of the ledger and of the interaction.
    package func run() async throws -> ApplyEnd {
        var loop = ApplyLoop(waits: options.waits)
        return try await run(&loop, from: .plan)
    }

    /// Shows and applies a saved plan: exactly its requests, or none of a flow that has changed since.
    ///
    /// - Throws: as ``run()``.
    package func run(saved plan: Plan) async throws -> ApplyEnd {
        var loop = ApplyLoop(waits: options.waits, saved: true)
        return try await run(&loop, from: loop.step(after: .planned(plan)))
    }

    /// Plans and confirms, for a ledger that must not be created before the answer.
    ///
    /// - Returns: the confirmed plan; `nil` if there is nothing to request.
    /// - Throws: as ``run()``.
    package func confirm() async throws -> Plan? {
        let plan = try await flows.plan(asOf: options.asOf(), now: options.time.now(), from: ledger)
        guard plan.isApplicable else { throw PipelineError.brokenRules(plan) }
        guard plan.requestCount > 0 else { return nil }
        interaction.show(plan, in: .first)
        try await confirm(plan)
        return plan
    }

    private func run(_ loop: inout ApplyLoop, from first: ApplyLoop.Step) async throws -> ApplyEnd {
        var step = first
        while true {
            switch step {
            case .plan:
                step = loop.step(after: .planned(try await plan(loop.round)))
            case .reject(let plan):
                throw PipelineError.brokenRules(plan)
            case .skip(let plan):
                interaction.show(plan, in: loop.round)
                interaction.report(.finished(ApplyOutcome(flows: [])))
                step = loop.step(after: .applied(ApplyOutcome(flows: [])))
            case .apply(let plan):
                interaction.show(plan, in: loop.round)
                step = loop.step(after: .applied(try await confirmAndApply(plan)))
            case .waitForOneRun(let plan):
                // A limit counts the runs of every flow, also of those that were not selected.
                let watched = flows.target.limits.running == nil ? nil : flows.declared.map(WatchedFlow.init)
                step = loop.step(after: .waited(try await wait(for: watched, of: plan, forOne: true)))
            case .finish(let outcome, let plan):
                interaction.summarize(outcome, of: plan)
                let waits = options.waits && outcome.isComplete
                step = loop.step(after: waits ? .waited(try await wait(of: plan)) : .summarized)
            case .end(let end):
                return end
            }
        }
    }

    // MARK: 2. Plan

    private func plan(_ round: ApplyLoop.Round) async throws -> Plan {
        if [.first, .continued].contains(round) { try await refreshAwaitedRuns() }
        return try await flows.plan(asOf: options.asOf(), now: options.time.now(), from: ledger)
    }

    /// Reads the unfinished runs of flows that others come after and, if a limit counts running runs, of all flows.
    private func refreshAwaitedRuns() async throws {
        let counted = flows.target.limits.running == nil ? [] : flows.declared.map(\.id)
        var awaited: Set<FlowID> = []
        for id in Set(flows.selected.flatMap(\.predecessors) + counted) {
            let runs = try await ledger.snapshot(of: id).runs
            if runs.contains(where: { $0.isUnderWay || $0.state.isDoubtful }) { awaited.insert(id) }
        }
        if !awaited.isEmpty { try await interaction.refresh(flows.selecting(awaited)) }
    }

    // MARK: 3. Limit to 6. Apply

    private func confirm(_ plan: Plan) async throws {
        if let excess = options.excess(of: plan) { throw PipelineError.tooManyRequests(excess) }
        try await interaction.confirm(plan)
    }

    private func confirmAndApply(_ plan: Plan) async throws -> ApplyOutcome {
        try await confirm(plan)
        return try await interaction.connected(to: plan, for: .applying) { context in
            await Applier(
                context: context, wireForm: plan.target.wireForm, provenance: await interaction.provenance(of: plan)
            ).apply(plan, staleness: options.staleness)
        }
    }

    // MARK: 7. Wait

    /// Waits for the running runs of the flows, or of the plan's flows, including runs that another apply requested.
    private func wait(
        for watched: [WatchedFlow]? = nil, of plan: Plan, forOne: Bool = false
    ) async throws -> WaitOutcome {
        let limit = options.deadline.map { $0 - options.time.monotonic() }
        return try await interaction.connected(to: plan, for: .waiting) { context in
            try await RunWait(context: context).wait(
                for: watched ?? plan.flows.map(WatchedFlow.init), atMost: limit, forOne: forOne)
        }
    }
}

/// The options of an apply.
package struct ApplyOptions: Sendable {
    /// Whether to wait until the runs have ended.
    package var waits: Bool
    /// The end of all waits for runs; `nil` for no limit.
    package var deadline: MonotonicInstant?
    /// The maximum number of requests, if it is not the target's.
    package var maxRuns: Int?
    package var staleness: Applier.Staleness
    /// Returns the instant up to which windows are due: a later round may have a later one.
    package var asOf: @Sendable () -> Timestamp
    package var time: any TimeSource

    package init(
        waits: Bool, deadline: MonotonicInstant?, maxRuns: Int?, staleness: Applier.Staleness,
        asOf: @escaping @Sendable () -> Timestamp, time: any TimeSource = SystemTime()
    ) {
        self.waits = waits
        self.deadline = deadline
        self.maxRuns = maxRuns
        self.staleness = staleness
        self.asOf = asOf
        self.time = time
    }

    /// Returns an error about a plan with more requests than one apply may make; `nil` if it has no more.
    package func excess(of plan: Plan) -> Diagnostic? {
        plan.excess(over: maxRuns ?? plan.target.limits.maxRunsPerApply)
    }
}

/// What an apply asks of its surroundings: the terminal, and connections to the service.
package protocol ApplyInteraction: Sendable {
    /// Shows a plan and, in a later round of the same apply, why there is another one.
    func show(_ plan: Plan, in round: ApplyLoop.Round)
    /// - Throws: when the plan is not confirmed.
    func confirm(_ plan: Plan) async throws
    func report(_ event: ApplyEvent)
    func summarize(_ outcome: ApplyOutcome, of plan: Plan)
    func provenance(of plan: Plan) async -> Provenance
    /// Reads the runs of the selected flows. A flow that is in doubt or cannot be read holds itself, not the others.
    func refresh(_ flows: TargetFlows) async throws
    /// Runs `body` with a connection to the plan's service that a signal stops.
    func connected<Result: Sendable>(
        to plan: Plan, for purpose: ConnectionPurpose,
        _ body: @escaping @Sendable (ApplierContext) async throws -> Result
    ) async throws -> Result
}

/// The use of a connection, which decides what a signal means.
package enum ConnectionPurpose: Hashable, Sendable {
    case applying
    case waiting
}

/// An apply that ends before it requests anything.
package enum PipelineError: Error, Hashable, Sendable {
    /// The plan breaks rules; its diagnostics say which.
    case brokenRules(Plan)
    case tooManyRequests(Diagnostic)
}
