import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner

/// Waits until the runs under way have ended, asking the service less and less often: for those who act on the data.
///
/// ```swift
/// let wait = RunWait(ledger: ledger, service: service, limits: target.limits)
/// let outcome = try await wait.wait(for: plan.flows, atMost: .seconds(1800))
/// ```
package struct RunWait: Sendable {
    /// The service is asked again after 2 s at first, and every minute at last.
    static let firstPause = Duration.seconds(2)
    static let longestPause = Duration.seconds(60)

    let ledger: any Ledger
    let service: any FlowService
    let limits: Limits
    let time: any TimeSource
    let report: @Sendable (ApplyEvent) -> Void

    package init(
        ledger: any Ledger, service: any FlowService, limits: Limits, time: any TimeSource = SystemTime(),
        report: @escaping @Sendable (ApplyEvent) -> Void = { _ in }
    ) {
        self.ledger = ledger
        self.service = service
        self.limits = limits
        self.time = time
        self.report = report
    }

    /// - Parameters:
    ///   - flows: whose runs are waited for: those that are under way when the wait begins.
    ///   - limit: how long at most; `nil` waits as long as it takes.
    /// - Throws: when the ledger fails, or the service cannot be asked.
    package func wait(
        for flows: [FlowPlan], atMost limit: Duration? = nil, stop: StopSignal = StopSignal()
    ) async throws(FlowRefresh.Failure) -> WaitOutcome {
        let deadline = limit.map { time.now() + $0 } ?? .max
        var outcome = WaitOutcome()
        var waitedFor: [FlowID: Set<RunID>] = [:]
        for flow in flows {
            waitedFor[flow.id] = Set(try await recorded(flow.id).filter(\.isUnderWay).compactMap(\.id))
        }
        var pause = Self.firstPause
        while true {
            outcome.running = waitedFor.values.reduce(0) { $0 + $1.count }
            report(.waited(running: outcome.running))
            guard outcome.running > 0, time.now() < deadline, !stop.isRequested else { break }
            await time.pause(min(pause, deadline - time.now()), unless: stop)
            pause = min(Self.longestPause, pause * 3 / 2)
            for flow in flows where waitedFor[flow.id]?.isEmpty == false {
                guard !stop.isRequested else { break }
                do throws(FlowRefresh.Failure) { try await look(flow) } catch {
                    if error == .service(.stopped) { break }
                    throw error
                }
                for run in try await recorded(flow.id) where !run.isUnderWay {
                    guard let id = run.id, waitedFor[flow.id]?.remove(id) != nil else { continue }
                    outcome.add(run.state)
                    report(.runEnded(run))
                }
            }
        }
        report(.waitEnded(outcome))
        return outcome
    }

    /// A flow that an apply is at work on is left to it.
    private func look(_ flow: FlowPlan) async throws(FlowRefresh.Failure) {
        _ = try await ledger.locked(flow.id) { () async throws(FlowRefresh.Failure) in
            try await FlowRefresh(ledger: ledger, service: service, time: time).read(
                flow.id, column: nil, settle: limits.settle, acknowledged: Set(flow.rules.acknowledged.map(\.run)),
                depth: .changes)
        }
    }

    private func recorded(_ flow: FlowID) async throws(FlowRefresh.Failure) -> [RecordedRun] {
        do { return try await ledger.runs(of: flow) } catch { throw .ledger(error) }
    }
}

/// What became of the runs that were waited for.
package struct WaitOutcome: Hashable, Sendable {
    package internal(set) var succeeded = 0
    package internal(set) var partial = 0
    package internal(set) var failed = 0
    /// Still under way when the time was over, or a stop was asked for.
    package internal(set) var running = 0

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
