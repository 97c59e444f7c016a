import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// A wait until the unfinished runs have ended, for commands that use the ingested data. Polls with increasing
/// intervals.
///
/// ```swift
/// let wait = RunWait(context: context)
/// let outcome = try await wait.wait(for: plan.flows.map(WatchedFlow.init), atMost: .seconds(1800))
/// ```
package struct RunWait: Sendable {
    /// The polling interval grows from 2 seconds to one minute.
    static let firstPause = Duration.seconds(2)
    static let maxPause = Duration.seconds(60)

    let context: ApplierContext

    package init(context: ApplierContext) { self.context = context }

    /// Waits until the flows' unfinished runs have ended, the time limit is reached, or a stop is requested.
    ///
    /// - Parameters:
    ///   - flows: the flows to wait for, with their acknowledged runs.
    ///   - limit: the maximum wait; `nil` for no limit.
    ///   - forOne: whether to return as soon as one run has ended.
    /// - Throws: ``RefreshError`` when the ledger fails or the service cannot be read.
    package func wait(
        for flows: [WatchedFlow], atMost limit: Duration? = nil, forOne: Bool = false
    ) async throws(RefreshError) -> WaitOutcome {
        let (time, stop) = (context.time, context.stop)
        let deadline = limit.map { time.monotonic() + $0 }
        var outcome = WaitOutcome()
        var waitedFor: [FlowID: Set<RunID>] = [:]
        /// Time of the first observation of a successful end without counts, by run.
        var endSeenAt: [RunID: MonotonicInstant] = [:]
        for flow in flows {
            var comparison = FlowComparison(flow.id, acknowledged: flow.acknowledged, context)
            // An acknowledged run may never report its end.
            let acknowledged = flow.acknowledged.foreignRunIDs
            waitedFor[flow.id] = Set(try await comparison.ledger().runs.filter(\.isUnderWay).compactMap(\.id))
                .subtracting(acknowledged)
        }
        var pause = Self.firstPause
        while true {
            outcome[.running] = waitedFor.values.reduce(0) { $0 + $1.count }
            context.report(.waited(running: outcome[.running]))
            let left = deadline.map { $0 - time.monotonic() }
            guard outcome[.running] > 0, !forOne || outcome.ended == 0, left ?? pause > .zero, !stop.isRequested else {
                break
            }
            await time.pause(min(pause, left ?? pause), unless: stop)
            pause = min(Self.maxPause, pause * 1.5)
            for flow in flows {
                guard !stop.isRequested else { break }
                guard let runs = waitedFor[flow.id], !runs.isEmpty else { continue }
                for run in try await read(flow, runs) where !run.isUnderWay {
                    guard let id = run.id, runs.contains(id), isFinal(run, &endSeenAt) else { continue }
                    waitedFor[flow.id]?.remove(id)
                    if let count = WaitCount(run.state) { outcome[count] += 1 }
                    context.report(.runEnded(run))
                }
            }
        }
        context.report(.waitEnded(outcome))
        return outcome
    }

    /// Whether a run's end is final: its counts, including failed records, may appear later than `success`.
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

/// The counts of a wait. The raw values are the names in JSON.
package enum WaitCount: String, Hashable, Sendable, CaseIterable {
    case succeeded
    case partial
    case failed
    /// Runs still unfinished at the time limit or when a stop was requested.
    case running

    /// The count of runs that ended in a state; `nil` for a state that is no end.
    init?(_ state: RunState) {
        switch state {
        case .succeeded: self = .succeeded
        case .partial: self = .partial
        case .failed: self = .failed
        case .intended, .accepted, .rejected, .inDoubt, .released: return nil
        }
    }

    package var title: String { self == .running ? "still running" : rawValue }
}

/// The result of waiting for runs.
package typealias WaitOutcome = Tally<WaitCount>

extension WaitOutcome {
    package var ended: Int { sum(.succeeded, .partial, .failed) }
}

extension RecordedRun {
    /// Whether the service has accepted the run and has not reported its end.
    var isUnderWay: Bool { state == .accepted }
}
