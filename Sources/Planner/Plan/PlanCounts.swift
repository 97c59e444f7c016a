import FlowRuns
import Manifests

/// The counts of a plan. The raw values are the names in JSON.
package enum PlanCount: String, Hashable, Sendable, CaseIterable {
    /// Requests for windows that were never run.
    case create
    /// Declared windows that these requests cover: more than the requests if windows are batched.
    case windows
    case retry
    /// Requests for declared reruns.
    case rerun
    /// Windows held by a doubt or by a run to be acknowledged.
    case held
    /// Missing windows of paused flows.
    case paused
    /// Requests that a limit holds until tomorrow.
    case untilTomorrow = "heldUntilTomorrow"
    /// Requests that a limit holds until runs end.
    case untilRunsEnd = "heldUntilRunsEnd"
    /// Windows that wait for another flow to succeed.
    case waiting
    /// Desired windows and reruns that need no request.
    case recorded
    /// Recorded ones whose run failed with no retry left.
    case failed
    /// Recorded ones that a replaced flow has recorded.
    case replaced
    /// Recorded runs that no manifest declares.
    case undeclared
    /// Broken rules. Any of them prevents the plan from being applied.
    case errors
    case warnings
}

package typealias PlanCounts = Tally<PlanCount>

extension PlanCounts {
    package var requests: Int { sum(.create, .retry, .rerun) }

    mutating func add(_ action: PlannedAction, count: Int = 1) {
        switch action.kind {
        case .create:
            self[.create] += count
            self[.windows] += count * action.windowCount
        case .retry: self[.retry] += count
        case .rerun: self[.rerun] += count
        }
    }

    mutating func add(_ window: HeldWindow) {
        switch window.cause {
        case .doubt, .replaced: self[.held] += 1
        case .paused: self[.paused] += 1
        case .dayLimit: self[.untilTomorrow] += 1
        case .runningLimit: self[.untilRunsEnd] += 1
        case .waiting: self[.waiting] += 1
        }
    }
}

extension FlowPlan {
    /// The counts of the flow.
    package var counts: PlanCounts {
        var counts = PlanCounts()
        for row in actions.rows { counts.add(row.first, count: row.count) }
        for diagnostic in diagnostics {
            switch diagnostic.severity {
            case .error: counts[.errors] += 1
            case .warning: counts[.warnings] += 1
            }
        }
        for held in held { counts.add(held) }
        counts[.recorded] = recordedCount
        counts[.failed] = failedCount
        counts[.replaced] = replacedCount
        counts[.undeclared] = undeclared.count
        return counts
    }
}

extension Plan {
    /// The counts of all flows together.
    package var counts: PlanCounts {
        var own = PlanCounts()
        own[.warnings] = ownDiagnostics.count
        return flows.reduce(own) { $0 + $1.counts }
    }

    /// Whether the plan may be applied. A broken rule in one flow blocks the whole plan.
    package var isApplicable: Bool { !flows.contains { $0.diagnostics.hasErrors } }
}
