import FlowRuns
import FlowService
import Ledger

extension FlowApplication {
    mutating func refresh(
        column: DeltaColumn? = nil, depth: FlowRefresh.Depth = .full
    ) async throws(FlowRefresh.Failure) -> FlowRefresh.Findings {
        let findings = try await FlowRefresh(ledger: world.ledger, service: world.service, time: world.time).read(
            plan.id, column: column, settle: world.limits.settle, acknowledged: acknowledged, depth: depth)
        for (identity, run) in findings.adopted {
            if approved[Approval(identity)] != nil { noteAccepted() }
            world.report(.adopted(identity, run))
        }
        for identity in findings.released { world.report(.released(identity)) }
        return findings
    }

    /// A run whose window was not known when it was recorded holds its flow; by now the service may tell it.
    mutating func readUnknownWindows() async throws(LedgerError) -> FlowOutcome.End? {
        guard isHeld(by: try await world.ledger.runs(of: plan.id)) else { return nil }
        do throws(FlowRefresh.Failure) { _ = try await refresh() } catch { return try end(for: error) }
        return nil
    }

    /// Asks the service for the runs in doubt, with waiting in between, until each is found or surely absent.
    ///
    /// - Returns: how the flow ends, when a doubt remains.
    mutating func resolveDoubts() async throws(LedgerError) -> FlowOutcome.End? {
        let policy = RetryPolicy(
            maxAttempts: .max, firstDelay: .seconds(1), longestDelay: .seconds(15), random: world.chance)
        var (looks, overdue) = (0, 0)
        while true {
            let doubts = try await world.ledger.runs(of: plan.id).filter(\.state.isDoubtful)
            guard let latest = doubts.map(\.recordedAt).max() else { return nil }
            let held = FlowOutcome.End.held("it is not known yet whether the service took \(doubts.count) request(s)")
            if stop.isRequested { return held }
            do throws(FlowRefresh.Failure) {
                let findings = try await refresh()
                if findings.unresolved.isEmpty { continue }
            } catch {
                if case .ledger(let error) = error { throw error }
                if case .service(.unauthorized) = error { return try end(for: error) }
            }
            let settled = latest + world.limits.settle
            if world.time.now() >= settled {
                // Past its time only an unreadable run or a failing listing keeps a doubt; a few more looks, then later.
                overdue += 1
                if overdue > 3 { return held }
            }
            let untilSettled = settled - world.time.now()
            looks += 1
            let pause = policy.delay(after: looks) ?? policy.longestDelay
            await world.time.pause(untilSettled > .zero ? min(pause, untilSettled) : pause, unless: stop)
        }
    }
}
