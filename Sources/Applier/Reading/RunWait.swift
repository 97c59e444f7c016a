import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Waits until the runs under way have ended, asking the service less and less often: for those who act on the data.
///
/// ```swift
/// let wait = RunWait(context: context)
/// let outcome = try await wait.wait(for: plan.flows.map(WatchedFlow.init), atMost: .seconds(1800))
/// ```
package struct RunWait: Sendable {
    /// The service is asked again after 2 s at first, and every minute at last.
    static let firstPause = Duration.seconds(2)
    static let longestPause = Duration.seconds(60)

    let context: ApplierContext

    package init(context: ApplierContext) { self.context = context }

    /// - Parameters:
    ///   - flows: the flows whose runs under way are waited for, with what their manifests acknowledge.
    ///   - forOne: only until one of them has ended.
    ///   - limit: how long at most; `nil` waits as long as it takes.
    /// - Throws: ``RefreshError`` when the ledger fails, or the service cannot be read.
    package func wait(
        for flows: [WatchedFlow], atMost limit: Duration? = nil, forOne: Bool = false
    ) async throws(RefreshError) -> WaitOutcome {
        let (time, stop) = (context.time, context.stop)
        let deadline = limit.map { time.monotonic() + $0 }
        var outcome = WaitOutcome()
        var waitedFor: [FlowID: Set<RunID>] = [:]
        /// When a run was first seen to have ended without counts.
        var endSeenAt: [RunID: MonotonicInstant] = [:]
        for flow in flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.acknowledged, context)
            // An acknowledged run may never report its end.
            let acknowledged = flow.acknowledged.somebodyElses
            waitedFor[flow.id] = Set(try await comparison.ledger().runs.filter(\.isUnderWay).compactMap(\.id))
                .subtracting(acknowledged)
        }
        var pause = Self.firstPause
        while true {
            outcome.running = waitedFor.values.reduce(0) { $0 + $1.count }
            context.report(.waited(running: outcome.running))
            let left = deadline.map { $0 - time.monotonic() }
            guard outcome.running > 0, !forOne || outcome.ended == 0, left ?? pause > .zero, !stop.isRequested else {
                break
            }
            await time.pause(min(pause, left ?? pause), unless: stop)
            pause = min(Self.longestPause, pause * 1.5)
            for flow in flows {
                guard !stop.isRequested else { break }
                guard let runs = waitedFor[flow.id], !runs.isEmpty else { continue }
                for run in try await read(flow, runs) where !run.isUnderWay {
                    guard let id = run.id, runs.contains(id), isFinal(run, &endSeenAt) else { continue }
                    waitedFor[flow.id]?.remove(id)
                    outcome.add(run.state)
                    context.report(.runEnded(run))
                }
            }
        }
        context.report(.waitEnded(outcome))
        return outcome
    }

    /// Whether a run's end may be reported: its counts, and with them failed records, may come later than `success`.
    private func isFinal(_ run: RecordedRun, _ endSeenAt: inout [RunID: MonotonicInstant]) -> Bool {
        guard run.state == .succeeded, run.records == nil, !context.listsAtOnce, let id = run.id else { return true }
        let now = context.time.monotonic()
        let seenAt = endSeenAt[id] ?? now
        endSeenAt[id] = seenAt
        return now - seenAt >= context.limits.settle
    }

    private func read(_ flow: WatchedFlow, _ runs: Set<RunID>) async throws(RefreshError) -> [RecordedRun] {
        var comparison = FlowComparison(flow.id, acknowledged: flow.acknowledged, context)
        comparison.readsRunsUnderWay = true
        comparison.watchedRuns = runs
        do throws(RefreshError) { return try await comparison.compare().0.runs } catch .service(.stopped) { return [] }
    }
}

/// A flow whose runs under way are waited for.
package struct WatchedFlow: Hashable, Sendable {
    let id: FlowID
    let acknowledged: [Acknowledgement]

    package init(_ declaration: FlowDeclaration) {
        id = declaration.id
        acknowledged = declaration.acknowledged
    }

    package init(_ plan: FlowPlan) {
        id = plan.id
        acknowledged = plan.rules.acknowledged
    }
}

/// What became of the runs that were waited for.
package struct WaitOutcome: Hashable, Sendable {
    package fileprivate(set) var succeeded = 0
    package fileprivate(set) var partial = 0
    package fileprivate(set) var failed = 0
    /// Still under way when the time was over, or a stop was asked for.
    package fileprivate(set) var running = 0

    package var ended: Int { succeeded + partial + failed }

    fileprivate mutating func add(_ state: RunState) {
        switch state {
        case .succeeded: succeeded += 1
        case .partial: partial += 1
        case .failed: failed += 1
        case .intended, .accepted, .rejected, .inDoubt, .released: break
        }
    }
}

extension RecordedRun {
    /// The service took it, and has not told its end.
    var isUnderWay: Bool { state == .accepted }
}
