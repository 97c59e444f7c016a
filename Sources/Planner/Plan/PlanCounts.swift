import Manifests

/// The counts of a plan, for its summary line.
package struct PlanCounts: Hashable, Sendable {
    /// The number of requests for windows that were never run.
    package var create = 0
    /// The number of declared windows that these requests cover: more than the requests if windows are batched.
    package var windows = 0
    /// The number of retries.
    package var retry = 0
    /// The number of declared reruns.
    package var rerun = 0
    /// The number of windows held by a doubt or by a run to be acknowledged.
    package var held = 0
    /// The number of missing windows of paused flows.
    package var paused = 0
    /// The number of requests that a limit holds until tomorrow.
    package var untilTomorrow = 0
    /// The number of requests that a limit holds until runs end.
    package var untilRunsEnd = 0
    /// The number of windows that wait for another flow to succeed.
    package var waiting = 0
    /// The number of desired windows and reruns that need no request.
    package var recorded = 0
    /// The number of these whose run failed with no retry left.
    package var failed = 0
    /// The number of these that a replaced flow has recorded.
    package var replaced = 0
    /// The number of recorded runs that no manifest declares.
    package var undeclared = 0
    /// The number of broken rules. Any of them prevents the plan from being applied.
    package var errors = 0
    /// The number of warnings.
    package var warnings = 0

    /// Creates counts of zero.
    package init() {}

    /// The number of requests.
    package var requests: Int { create + retry + rerun }

    /// Adds up the counts of two parts of a plan.
    package static func + (left: PlanCounts, right: PlanCounts) -> PlanCounts {
        var sum = left
        sum.create += right.create
        sum.windows += right.windows
        sum.retry += right.retry
        sum.rerun += right.rerun
        sum.held += right.held
        sum.paused += right.paused
        sum.untilTomorrow += right.untilTomorrow
        sum.untilRunsEnd += right.untilRunsEnd
        sum.waiting += right.waiting
        sum.recorded += right.recorded
        sum.failed += right.failed
        sum.replaced += right.replaced
        sum.undeclared += right.undeclared
        sum.errors += right.errors
        sum.warnings += right.warnings
        return sum
    }
}

extension FlowPlan {
    /// The counts of the flow.
    package var counts: PlanCounts {
        var counts = PlanCounts()
        for row in actions.rows {
            switch row.first.kind {
            case .create:
                counts.create += row.count
                counts.windows += row.count * row.first.windowCount
            case .retry: counts.retry += row.count
            case .rerun: counts.rerun += row.count
            }
        }
        for diagnostic in diagnostics {
            switch diagnostic.severity {
            case .error: counts.errors += 1
            case .warning: counts.warnings += 1
            }
        }
        for held in held {
            switch held.cause {
            case .doubt, .replaced: counts.held += 1
            case .paused: counts.paused += 1
            case .dayLimit: counts.untilTomorrow += 1
            case .runningLimit: counts.untilRunsEnd += 1
            case .waiting: counts.waiting += 1
            }
        }
        counts.recorded = recordedCount
        counts.failed = failedCount
        counts.replaced = replacedCount
        counts.undeclared = undeclared.count
        return counts
    }
}

extension Plan {
    /// The counts of all flows together.
    package var counts: PlanCounts {
        var own = PlanCounts()
        own.warnings = ownDiagnostics.count
        return flows.reduce(own) { $0 + $1.counts }
    }

    /// Whether the plan may be applied. A broken rule in one flow blocks the whole plan.
    package var isApplicable: Bool { !flows.contains { $0.diagnostics.hasErrors } }
}
