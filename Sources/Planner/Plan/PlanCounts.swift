import Manifests

/// A plan in figures: its summary line.
package struct PlanCounts: Hashable, Sendable {
    /// Windows never run before.
    package var create = 0
    /// The declared windows that these are for: more than requests, where some are asked for together.
    package var windows = 0
    /// Failed runs asked for once more.
    package var retry = 0
    /// Declared second runs.
    package var rerun = 0
    /// Windows that wait for a doubt or an acknowledgement.
    package var held = 0
    /// Windows that are missing, of flows that are paused.
    package var paused = 0
    /// Requests that are held until tomorrow by a limit.
    package var untilTomorrow = 0
    /// Requests that are held until runs end, by a limit.
    package var untilRunsEnd = 0
    /// Windows that wait until another flow has succeeded.
    package var waiting = 0
    /// Desired windows and reruns that need nothing.
    package var recorded = 0
    /// Of those, the ones whose run failed and may not be retried any more.
    package var failed = 0
    /// Of those, the ones that a replaced flow has recorded.
    package var replaced = 0
    /// Recorded runs that no manifest declares.
    package var undeclared = 0
    /// Broken rules; any of them stops the plan.
    package var errors = 0
    /// What a person should know.
    package var warnings = 0

    /// Nothing at all.
    package init() {}

    /// How many requests are asked for.
    package var requests: Int { create + retry + rerun }

    /// The counts of two parts of a plan together.
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
    /// The flow's part in figures.
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
    /// Over all flows.
    package var counts: PlanCounts {
        var own = PlanCounts()
        own.warnings = ownDiagnostics.count
        return flows.reduce(own) { $0 + $1.counts }
    }

    /// Whether it may be applied: a broken rule in one flow stops the whole plan.
    package var isApplicable: Bool { !flows.contains { $0.diagnostics.hasErrors } }
}
