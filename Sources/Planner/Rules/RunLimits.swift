import FlowRuns
import Ledger
import Manifests
import Text

extension Plan {
    /// Whether the number of runs is limited by anything other than the limit on a single apply.
    package var hasRunLimits: Bool { target.limits.limitRuns(withThoseOf: flows.map(\.rules.runsPerDay)) }

    /// Whether a later plan continues where limits or other flows stop this one.
    package var hasPostponedRequests: Bool {
        flows.contains { $0.held.contains { [.dayLimit, .runningLimit, .waiting].contains($0.cause) } }
    }

    /// Whether the plan can continue as soon as runs end.
    package var waitsForRunningRuns: Bool {
        flows.contains { $0.held.contains { $0.cause == .runningLimit || $0.cause == .waiting } }
    }

    /// Returns the plan with the requests over a limit held, by the runs that a ledger contains.
    ///
    /// - Parameters:
    ///   - declared: the flows whose unfinished runs count, with their acknowledged runs.
    ///   - ledger: the ledger with the recorded runs.
    ///   - time: the instant whose day counts for daily limits.
    /// - Throws: `LedgerError` when the ledger cannot be read.
    package func limited(
        countingRunsOf declared: [WatchedFlow], in ledger: any LedgerStore, at time: Timestamp
    ) async throws(LedgerError) -> Plan {
        guard hasRunLimits else { return self }
        var usage = RunUsage(at: time)
        let acknowledged = Set(declared.flatMap { $0.acknowledged.foreignRunIDs })
        let polled = Set(declared.map(\.id))
        for record in try await ledger.flows() {
            let runs = try await ledger.snapshot(of: record.id).runs
            usage.add(runs, of: record.id, countsUnderWay: polled.contains(record.id), acknowledged: acknowledged)
        }
        return limited(by: usage)
    }

    /// Returns the plan with the requests over a limit held. Flows of a higher priority are served first; flows of
    /// equal priority get max-min fair shares.
    package func limited(by usage: RunUsage) -> Plan {
        guard hasRunLimits else { return self }
        let limits = target.limits
        var day = limits.runsPerDay.map { max(0, $0 - usage.onDay.total) } ?? .max
        var running = limits.running.map { max(0, $0 - usage.underWay) } ?? .max
        var limited = flows
        var rest = flows.indices[...]
        while let first = rest.first {
            let equal = rest.prefix { flows[$0].rules.priority == flows[first].rules.priority }
            rest = rest.dropFirst(equal.count)
            let own = equal.map { index in
                flows[index].rules.runsPerDay.map { max(0, $0 - usage.onDay[flows[index].id]) } ?? .max
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

extension Limits {
    /// Whether these limits, or those of flows, limit the number of runs beyond a single apply.
    ///
    /// - Parameter flows: the limits of the flows on runs per day.
    func limitRuns(withThoseOf flows: [Int?]) -> Bool {
        runsPerDay != nil || running != nil || flows.contains { $0 != nil }
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

/// The runs that count against the limits: those of one UTC day, and those in progress.
package struct RunUsage: Hashable, Sendable {
    /// The number of runs on the day, by flow. A run counts on the day of its claim by the service's clock or, if it
    /// was found on the service, of its creation. Requests that the service did not accept do not count.
    package private(set) var onDay = Tally<FlowID>()
    package private(set) var underWay = 0
    /// The oldest of the runs in progress: if it never reports its end, it counts until it is acknowledged.
    private(set) var oldestUnderWay: RecordedRun?
    private let dayStart: Timestamp

    private static let day = Duration.seconds(86_400)

    /// Creates usage of zero for the UTC day that contains `time`.
    package init(at time: Timestamp) {
        let seconds = time.seconds
        dayStart = Timestamp(seconds: seconds - (seconds % 86_400 + 86_400) % 86_400)
    }

    /// Adds the runs of a flow.
    ///
    /// - Parameters:
    ///   - runs: the recorded runs of the flow.
    ///   - flow: the ID of the flow.
    ///   - countsUnderWay: `false` for a flow that is not declared, because its runs are not polled.
    ///   - acknowledged: runs that the manifests acknowledge: one that never reports its end does not count as running.
    package mutating func add(
        _ runs: some Sequence<RecordedRun>, of flow: FlowID, countsUnderWay: Bool = true,
        acknowledged: Set<RunID> = []
    ) {
        for run in runs where !run.state.isVoid {
            let time = run.claim?.time?.latest ?? run.recordedAt
            if time >= dayStart, time < dayStart + Self.day { onDay[flow] += 1 }
            let isRunning = run.state == .accepted && !(run.id.map(acknowledged.contains) ?? false)
            guard countsUnderWay, isRunning || run.state.isDoubtful else { continue }
            underWay += 1
            if run.recordedAt < oldestUnderWay?.recordedAt ?? .max { oldestUnderWay = run }
        }
    }
}

/// The parts of a declared or planned flow that reading it from the service needs: to check it, to count its runs, and to
/// wait for them.
package struct WatchedFlow: Hashable, Sendable {
    package let id: FlowID
    package let source: SourceKind
    package let deltaColumn: DeclaredColumn?
    package let acknowledged: [Acknowledgement]
    package let place: Place

    package init(_ declaration: FlowDeclaration) {
        id = declaration.id
        source = declaration.source
        deltaColumn = declaration.deltaColumn
        acknowledged = declaration.acknowledged
        place = declaration.place
    }

    package init(_ plan: FlowPlan) {
        id = plan.id
        source = plan.source
        deltaColumn = plan.rules.deltaColumn
        acknowledged = plan.rules.acknowledged
        place = plan.place
    }
}
