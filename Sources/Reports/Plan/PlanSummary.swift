import Planner

extension PlanCounts {
    /// The closing line of a plan: `Plan: 12 to request, 1 to retry; 1 held, 340 recorded.`
    package var summary: String {
        let rest = standing.joined(separator: ", ")
        if requests > 0 { return "Plan: \(wanted.joined(separator: ", "))\(rest.isEmpty ? "" : "; \(rest)")." }
        guard errors == 0, held == 0 else { return "Nothing to request\(rest.isEmpty ? "" : ": \(rest)")." }
        let failures = failed > 0 ? "; \(grouped(failed)) failed, and no retry is left" : ""
        let others = failures + (undeclared > 0 ? "; \(counted(undeclared, "undeclared run"))" : "")
        switch recorded {
        case 0: return "Nothing to do: no window is due\(others)."
        case 1: return "Nothing to do: the only window is recorded\(others)."
        default: return "Nothing to do: all \(grouped(recorded)) windows are recorded\(others)."
        }
    }

    /// What will be asked for, without what is nought.
    var wanted: [String] {
        words([(create, "to request"), (retry, "to retry"), (rerun, "to rerun")])
    }

    /// What will not.
    var standing: [String] {
        words([
            (held, "held"), (recorded, "recorded\(failed > 0 ? " (\(grouped(failed)) failed)" : "")"),
            (undeclared, "undeclared"),
        ])
    }

    /// `1 error, 2 warnings`; empty when there are none.
    var faults: String {
        [errors > 0 ? counted(errors, "error") : nil, warnings > 0 ? counted(warnings, "warning") : nil]
            .compactMap(\.self).joined(separator: ", ")
    }

    private func words(_ counts: [(Int, String)]) -> [String] {
        counts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
    }
}

extension FlowPlan {
    /// The name, or the id where it has none.
    var title: String { name ?? id.description }

    /// Whether there is anything to say of it beyond that all is recorded.
    var isQuiet: Bool {
        actions.isEmpty && held.isEmpty && undeclared.isEmpty && diagnostics.isEmpty && failedCount == 0
    }
}

extension Plan {
    /// How many flows with requests the ledger has never compared with the service.
    var unverifiedCount: Int { flows.count { !$0.isVerified && !$0.actions.isEmpty } }
}
