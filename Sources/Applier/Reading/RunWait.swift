import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Waits until the runs under way have ended, asking the service less and less often: for those who act on the data.
///
/// ```swift
/// let wait = RunWait(context: context)
/// let outcome = try await wait.wait(for: plan.flows, atMost: .seconds(1800))
/// ```
package struct RunWait: Sendable {
    /// The service is asked again after 2 s at first, and every minute at last.
    static let firstPause = Duration.seconds(2)
    static let longestPause = Duration.seconds(60)

    let context: ApplierContext

    package init(context: ApplierContext) { self.context = context }

    /// - Parameters:
    ///   - flows: whose runs are waited for: those that are under way when the wait begins.
    ///   - forOne: only until one of them has ended.
    ///   - limit: how long at most; `nil` waits as long as it takes.
    /// - Throws: when the ledger fails, or the service cannot be read.
    package func wait(
        for flows: [FlowPlan], atMost limit: Duration? = nil, forOne: Bool = false
    ) async throws(RefreshError) -> WaitOutcome {
        let (time, stop) = (context.time, context.stop)
        let deadline = limit.map { time.monotonic() + $0 }
        var outcome = WaitOutcome()
        var waitedFor: [FlowID: Set<RunID>] = [:]
        for flow in flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.rules.acknowledged, context)
            waitedFor[flow.id] = Set(try await comparison.ledger().runs.filter(\.isUnderWay).compactMap(\.id))
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
            for flow in flows where waitedFor[flow.id]?.isEmpty == false {
                guard !stop.isRequested else { break }
                for run in try await read(flow) where !run.isUnderWay {
                    guard let id = run.id, waitedFor[flow.id]?.remove(id) != nil else { continue }
                    outcome.add(run.state)
                    context.report(.runEnded(run))
                }
            }
        }
        context.report(.waitEnded(outcome))
        return outcome
    }

    private func read(_ flow: FlowPlan) async throws(RefreshError) -> [RecordedRun] {
        var comparison = FlowComparison(flow.id, acknowledged: flow.rules.acknowledged, context)
        comparison.readsRunsUnderWay = true
        do throws(RefreshError) { return try await comparison.compare().0.runs } catch .service(.stopped) { return [] }
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
