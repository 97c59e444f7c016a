import Planner

extension PlanCounts {
    /// The closing line of a plan, such as `Plan: 12 to request, 1 to retry; 1 held, 340 recorded.`
    package var summary: String {
        let rest = standing.joined(separator: ", ")
        if requests > 0 { return "Plan: \(wanted.joined(separator: ", "))\(rest.isEmpty ? "" : "; \(rest)")." }
        guard errors == 0, held == 0, postponed == 0 else {
            return "Nothing to request\(rest.isEmpty ? "" : ": \(rest)")."
        }
        let failures = failed > 0 ? "; \(grouped(failed)) failed, and no retry is left" : ""
        let others = failures + (undeclared > 0 ? "; \(counted(undeclared, "undeclared run"))" : "")
        switch recorded {
        case 0: return "Nothing to do: no window is due\(others)."
        case 1: return "Nothing to do: the only window is recorded\(others)."
        default: return "Nothing to do: all \(grouped(recorded)) windows are recorded\(others)."
        }
    }

    /// The number of missing windows that are postponed as declared.
    var postponed: Int { paused + untilTomorrow + untilRunsEnd + waiting }

    /// The counts of requests in words, without zeros.
    var wanted: [String] {
        let windows = windows > create ? " (\(grouped(windows)) windows)" : ""
        return words([(create, "to request\(windows)"), (retry, "to retry"), (rerun, "to rerun")])
    }

    /// The counts of everything that is not requested in words, without zeros.
    var standing: [String] {
        words([
            (held, "held"), (paused, "paused"), (untilTomorrow, "held until tomorrow"),
            (untilRunsEnd, "held until runs end"), (waiting, "waiting for another flow"),
            (recorded, "recorded\(failed > 0 ? " (\(grouped(failed)) failed)" : "")"),
            (undeclared, "undeclared"),
        ])
    }

    /// The counts of diagnostics, such as `1 error, 2 warnings`; empty if there are none.
    var diagnosticCounts: String {
        [errors > 0 ? counted(errors, "error") : nil, warnings > 0 ? counted(warnings, "warning") : nil]
            .compactMap(\.self).joined(separator: ", ")
    }

    private func words(_ counts: [(Int, String)]) -> [String] {
        counts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
    }
}

extension FlowPlan {
    /// The name, or the ID if the flow has no name.
    var title: String { name ?? id.description }

    /// A suffix such as `, 335 of them by the flow it replaces`; empty if the flow replaces none.
    var replacedText: String {
        guard replacedCount > 0 else { return "" }
        let which = rules.replaced.count == 1 ? "the flow" : "the flows"
        let count = replacedCount == recordedCount ? "" : "\(grouped(replacedCount)) of them "
        return "\(count.isEmpty ? " " : ", ")\(count)by \(which) it replaces"
    }

    /// The order of the requests, such as `newest first, priority 5`; `nil` for the default order.
    var orderText: String? {
        let order = actions.count > 1 && rules.order == .newestFirst ? "newest first" : nil
        let priority = rules.priority == 0 || actions.isEmpty ? nil : "priority \(rules.priority)"
        let words = [order, priority].compactMap(\.self)
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }

    /// Whether all windows are recorded and there is nothing else to mention.
    var isQuiet: Bool {
        actions.isEmpty && held.isEmpty && undeclared.isEmpty && diagnostics.isEmpty && failedCount == 0
    }
}

extension Plan {
    /// A note about flows with requests that were never compared with the service; `nil` if there are none.
    var unverifiedNote: String? {
        let count = flows.count { !$0.isVerified && !$0.actions.isEmpty }
        guard count > 0 else { return nil }
        return "\(counted(count, "flow is", "flows are")) not verified: this ledger has never been compared with the "
            + "service for \(count == 1 ? "it" : "them"). 'sluice apply' compares first, and may then send fewer "
            + "requests, never more."
    }
}
