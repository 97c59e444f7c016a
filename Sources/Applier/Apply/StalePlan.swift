import FlowRuns
import Ledger
import Planner

/// A description of the changes to a flow since its plan was made, for a user who has to plan again.
struct StalePlan {
    let plan: FlowPlan
    /// All rows of the flow in the ledger.
    let entries: [LedgerEntry]

    /// A description of the changes: `1 of its 3 requests was made meanwhile, the first for 2024-01-01T00:00:00Z …
    /// 2024-01-02T00:00:00Z; the latest change is run 3fb0418e of …, 'succeeded' since 2024-05-01T07:00:00Z`
    var changes: String {
        guard let last = entries.max(by: { $0.updatedAt < $1.updatedAt }) else {
            return "the ledger compared it with the service"
        }
        return (made ?? "") + describe(last)
    }

    /// A description of the plan's requests that the ledger already contains; `nil` when there are none.
    private var made: String? {
        let planned = Dictionary(plan.actions.map { ($0.key(in: plan.id), $0.attempt) }) { first, _ in first }
        let made = entries.map(\.run.identity).filter { identity in
            guard let attempt = planned[identity.key] else { return false }
            return identity.attempt >= attempt
        }
        guard let first = made.first?.window else { return nil }
        // Repeated attempts of one request, for example after a refusal, count once.
        let count = Set(made.map(\.key)).count
        let all = plan.actions.count
        let were = all == 1 ? "its request was" : "\(count) of its \(all) requests \(count == 1 ? "was" : "were")"
        return "\(were) made meanwhile\(all == 1 ? "" : ", the first for \(first.inWords)"); "
    }

    private func describe(_ entry: LedgerEntry) -> String {
        let run = entry.run.id.map { "run \($0)" } ?? "a request"
        let window = entry.run.window.map { " of \($0.inWords)" } ?? ""
        let whose = entry.provenance.author.map { ", requested by \($0)" } ?? ""
        let state = "'\(entry.run.state.rawValue)' since \(entry.updatedAt)"
        return "the latest change is \(run)\(window), \(state)\(whose)"
    }
}
