import Planner

/// The order of the stages of an apply, as a value: it receives the result of a stage, and returns the next one.
///
/// Applying settles claims in doubt and finds unrecorded runs. If that allows further requests, they are planned and
/// sent in a second round. With `--wait`, each ended run may make room for more, so the loop starts again from there.
package struct ApplyLoop: Sendable {
    /// Why a round plans.
    package enum Round: Hashable, Sendable {
        case first
        /// The first round settled what held windows back.
        case held
        /// The first round found windows that had been run already.
        case removed
        /// A run has ended, and windows wait for that.
        case continued
        /// A saved plan is applied; it is never planned again.
        case saved
    }

    /// The stage to perform next.
    package enum Step: Hashable, Sendable {
        /// Plan in the loop's round.
        case plan
        /// The plan has broken rules.
        case reject(Plan)
        /// Show the plan, confirm it, and apply it.
        case apply(Plan)
        /// Show the plan, which has nothing to request.
        case skip(Plan)
        case waitForOneRun(of: Plan)
        /// The requests are made. Summarize them; with `--wait`, wait for the runs.
        case finish(ApplyOutcome, of: Plan)
        case end(ApplyEnd)
    }

    /// The result of a stage.
    package enum Event: Hashable, Sendable {
        case planned(Plan)
        case applied(ApplyOutcome)
        case waited(WaitOutcome)
        /// The requests were summarized, and nothing is waited for.
        case summarized
    }

    /// Whether to wait until the runs have ended.
    private let waits: Bool
    package private(set) var round: Round
    private var plan: Plan?
    private var outcome = ApplyOutcome(flows: [])
    private var isFinishing = false
    /// Whether a run that the apply waited for has failed.
    private var anyRunFailed = false

    /// - Parameters:
    ///   - waits: whether to wait until the runs have ended.
    ///   - saved: whether a saved plan is applied, which is the first event.
    package init(waits: Bool, saved: Bool = false) {
        self.waits = waits
        round = saved ? .saved : .first
    }

    /// Returns the next stage.
    package mutating func step(after event: Event) -> Step {
        switch event {
        case .planned(let plan): return step(afterPlanning: plan)
        case .applied(let outcome): return step(afterApplying: outcome)
        case .waited(let outcome): return step(afterWaiting: outcome)
        case .summarized: return .end(ApplyEnd(apply: outcome, wait: nil, anyRunFailed: anyRunFailed))
        }
    }

    private mutating func step(afterPlanning next: Plan) -> Step {
        guard next.isApplicable else { return .reject(next) }
        let isWaiting = next.flows.contains(where: \.isWaiting)
        let asks = next.requestCount > 0 || isWaiting && [.first, .continued, .saved].contains(round)
        // The earlier plan of this apply has been shown and applied.
        if round == .removed, !asks { return settle() }
        plan = next
        if asks { return .apply(next) }
        outcome = ApplyOutcome(flows: [])
        return round == .continued ? settle() : .skip(next)
    }

    private mutating func step(afterApplying outcome: ApplyOutcome) -> Step {
        self.outcome = outcome
        guard [.first, .continued].contains(round), outcome.isComplete else { return settle() }
        if plan?.flows.contains(where: \.isWaiting) ?? false {
            round = .held
        } else if outcome.removed > 0 {
            round = .removed
        } else {
            return settle()
        }
        return .plan
    }

    private mutating func step(afterWaiting ended: WaitOutcome) -> Step {
        let end = ApplyEnd(apply: outcome, wait: ended, anyRunFailed: anyRunFailed)
        guard !isFinishing else { return .end(end) }
        anyRunFailed = anyRunFailed || ended[.failed] > 0
        if ended.ended > 0 {
            round = .continued
            return .plan
        }
        // A window that waits for another flow may need more than the end of running runs.
        return ended[.running] > 0 || anyRunFailed ? .end(end) : finish()
    }

    /// The requests of this round are made.
    private mutating func settle() -> Step {
        guard let plan, waits, round != .saved, outcome.isComplete, plan.waitsForRunningRuns else { return finish() }
        return .waitForOneRun(of: plan)
    }

    private mutating func finish() -> Step {
        isFinishing = true
        guard let plan else { return .end(ApplyEnd(apply: outcome, wait: nil, anyRunFailed: anyRunFailed)) }
        return .finish(outcome, of: plan)
    }
}

/// The end of an apply, from which the exit status follows.
package struct ApplyEnd: Hashable, Sendable {
    package let apply: ApplyOutcome
    /// The last wait; `nil` without one.
    package let wait: WaitOutcome?
    /// Whether a run failed while others were still to be requested.
    package let anyRunFailed: Bool
}
