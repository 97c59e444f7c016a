import FlowRuns
import Manifests
import Text

extension Plan {
    /// Whether the number of runs is limited by anything other than the limit on a single apply.
    package var hasRunLimits: Bool {
        target.limits.runsPerDay != nil || target.limits.running != nil
            || flows.contains { $0.rules.runsPerDay != nil }
    }

    /// Whether a later plan continues where limits or other flows stop this one.
    package var hasPostponedRequests: Bool {
        flows.contains { $0.held.contains { [.dayLimit, .runningLimit, .waiting].contains($0.cause) } }
    }

    /// Whether the plan can continue as soon as runs end.
    package var waitsForRunningRuns: Bool {
        flows.contains { $0.held.contains { $0.cause == .runningLimit || $0.cause == .waiting } }
    }

    /// Returns the plan with the requests over a limit held. Flows of a higher priority are served first; flows of
    /// equal priority get max-min fair shares.
    package func limited(by usage: RunUsage) -> Plan {
        guard hasRunLimits else { return self }
        let limits = target.limits
        var day = limits.runsPerDay.map { max(0, $0 - usage.total) } ?? .max
        var running = limits.running.map { max(0, $0 - usage.underWay) } ?? .max
        var limited = flows
        var rest = flows.indices[...]
        while let first = rest.first {
            let equal = rest.prefix { flows[$0].rules.priority == flows[first].rules.priority }
            rest = rest.dropFirst(equal.count)
            let own = equal.map { index in
                flows[index].rules.runsPerDay.map { max(0, $0 - usage.onDay[flows[index].id, default: 0]) } ?? .max
            }
            let demands = zip(equal, own).map { min(flows[$0].actions.count, $1) }
            let shares = fairShares(of: min(day, running), among: demands)
            for (place, index) in equal.enumerated() where shares[place] < flows[index].actions.count {
                let over: RunLimit =
                    shares[place] == own[place]
                    ? .ofFlow(flows[index].rules.runsPerDay ?? 0)
                    : running < day
                        ? .running(limits.running ?? 0, oldest: usage.oldestUnderWay) : .perDay(limits.runsPerDay ?? 0)
                limited[index] = flows[index].keeping(shares[place], over: over)
            }
            let sum = shares.reduce(0, +)
            if day != .max { day -= sum }
            if running != .max { running -= sum }
        }
        return Plan(asOf: asOf, target: target, manifests: manifests, flows: limited)
    }
}

/// Divides `total` into max-min fair shares.
private func fairShares(of total: Int, among demands: [Int]) -> [Int] {
    var shares = demands.map { _ in 0 }
    var left = total
    var open = demands.indices.filter { demands[$0] > 0 }
    while left > 0, !open.isEmpty {
        let each = max(1, left / open.count)
        for index in open where left > 0 {
            let more = min(each, demands[index] - shares[index], left)
            shares[index] += more
            left -= more
        }
        open.removeAll { shares[$0] == demands[$0] }
    }
    return shares
}

/// A limit that requests exceed.
enum RunLimit {
    case perDay(Int)
    case ofFlow(Int)
    case running(Int, oldest: RecordedRun?)

    fileprivate var cause: HeldWindow.Cause {
        switch self {
        case .perDay, .ofFlow: .dayLimit
        case .running: .runningLimit
        }
    }

    fileprivate var inWords: String {
        func runs(_ count: Int) -> String { count == 1 ? "1 run" : "\(count.grouped) runs" }
        return switch self {
        case .perDay(let count): "over the limit of \(runs(count)) a day; continues tomorrow (UTC)"
        case .ofFlow(let count): "over the flow's limit of \(runs(count)) a day; continues tomorrow (UTC)"
        case .running(let count, let oldest):
            "over the limit of \(runs(count)) at a time; continues when runs end"
                + (oldest.map { "; the oldest is \($0.inWords) of flow \($0.flow), made at \($0.recordedAt)" } ?? "")
        }
    }
}

extension FlowPlan {
    /// Returns the plan with the first `count` requests; the others are held.
    fileprivate func keeping(_ count: Int, over limit: RunLimit) -> FlowPlan {
        var plan = self
        plan.actions = PlannedActions(actions.prefix(count))
        plan.held += actions.dropFirst(count).map { HeldWindow($0, limit.cause, because: limit.inWords) }
        plan.held.sort { $0.window == $1.window ? $0.place < $1.place : $0.window < $1.window }
        return plan
    }
}
