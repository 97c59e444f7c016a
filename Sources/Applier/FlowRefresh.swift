import FlowRuns
import FlowService
import Ledger

/// Reads what the service itself knows of a flow into the ledger. The first time is the flow's *first contact*.
///
/// The caller holds the flow's lock: a request in flight elsewhere would look like somebody else's run.
package struct FlowRefresh: Sendable {
    let ledger: any Ledger
    let service: any FlowService
    let time: any TimeSource

    package init(ledger: any Ledger, service: any FlowService, time: any TimeSource) {
        self.ledger = ledger
        self.service = service
        self.time = time
    }

    /// How much of a flow is read.
    package enum Depth: Hashable, Sendable {
        /// Every run that the service has.
        case full
        /// New runs, and those that had not ended; every run where a doubt has to be resolved.
        case changes
    }

    /// What a refresh found.
    package struct Findings: Hashable, Sendable {
        /// How many runs were read.
        package let runsRead: Int
        /// How many of them the ledger did not know, doubtful requests aside.
        package let runsNew: Int
        /// How many of them had not ended before, and have now.
        package let runsEnded: Int
        /// Doubtful requests that turned out to have been taken.
        package let adopted: [RunIdentity: RunID]
        /// Doubtful requests that are surely absent: their windows may be claimed again.
        package let released: [RunIdentity]
        /// Doubtful requests of which nothing is known yet.
        package let unresolved: [RecordedRun]
    }

    /// Why a flow could not be refreshed.
    package enum Failure: Error, Hashable, Sendable {
        case ledger(LedgerError)
        case service(FlowServiceError)
    }

    /// - Parameters:
    ///   - column: the column in the flow's `Copy` transformation, if the flow was read.
    ///   - settle: how long after its claim a request that is not on the service is called absent.
    ///   - acknowledged: runs of unknown window that the manifest calls somebody else's.
    package func read(
        _ flow: FlowID, column: DeltaColumn?, settle: Duration, acknowledged: Set<RunID>,
        depth: Depth = .full
    ) async throws(Failure) -> Findings {
        let changed = depth == .changes ? try await changedRuns(of: flow, acknowledged) : nil
        // Taken before the listing is asked for: what the listing lacks was lacking at this time at the latest.
        let askedAt = time.now()
        let observed: [ObservedRun]
        do throws(FlowServiceError) {
            if let changed {
                observed = try await read(flow, changed)
            } else {
                observed = try await service.runs(of: flow)
            }
        } catch { throw .service(error) }
        do throws(LedgerError) {
            // Read again after the listing: what was claimed while it was read counts.
            let recorded = try await ledger.runs(of: flow)
            let matching = DoubtMatching(recorded: recorded, observed: observed, acknowledged: acknowledged)
            try await record(flow, column, matching)
            let absentSince = changed == nil && matching.unreadable.isEmpty ? askedAt - settle : nil
            let (released, unresolved) = try await release(
                recorded.filter { $0.state.isDoubtful && matching.found[$0.identity] == nil }, absentSince)
            return Findings(
                recorded: recorded, observed: observed, adopted: matching.found, released: released,
                unresolved: unresolved)
        } catch { throw .ledger(error) }
    }

    /// `nil` when all runs must be read.
    private func changedRuns(
        of flow: FlowID, _ acknowledged: Set<RunID>
    ) async throws(Failure) -> ChangedRuns? {
        do throws(LedgerError) {
            return ChangedRuns(
                record: try await ledger.record(of: flow), recorded: try await ledger.runs(of: flow),
                acknowledged: acknowledged)
        } catch { throw .ledger(error) }
    }

    private func read(
        _ flow: FlowID, _ changed: ChangedRuns
    ) async throws(FlowServiceError) -> [ObservedRun] {
        var observed = try await service.newestRuns(of: flow, until: changed.isCovered)
        observed += try await service.runs(ids: changed.missing(from: observed))
        return observed
    }

    private func record(
        _ flow: FlowID, _ column: DeltaColumn?, _ matching: DoubtMatching
    ) async throws(LedgerError) {
        for (identity, run) in matching.found {
            try await ledger.conclude(identity, .accepted(run, response: nil), at: time.now())
        }
        try await ledger.observe(
            Observation(flow: flow, deltaColumn: column, runs: matching.others, observedAt: time.now()))
    }

    /// - Parameter absentSince: what was claimed by then and is not on the service is surely absent; `nil` when not
    ///   every run was read, or one of those that were may be the doubtful request.
    private func release(
        _ doubts: [RecordedRun], _ absentSince: Timestamp?
    ) async throws(LedgerError) -> (released: [RunIdentity], unresolved: [RecordedRun]) {
        var released: [RunIdentity] = []
        var unresolved: [RecordedRun] = []
        for doubt in doubts {
            if let absentSince, doubt.recordedAt <= absentSince,
                try await ledger.release(
                    doubt.identity, claimedAt: doubt.recordedAt,
                    reason: "not among the flow's runs when its time had passed", at: time.now())
            {
                released.append(doubt.identity)
            } else {
                unresolved.append(doubt)
            }
        }
        return (released, unresolved)
    }
}

extension FlowRefresh.Findings {
    fileprivate init(
        recorded: [RecordedRun], observed: [ObservedRun], adopted: [RunIdentity: RunID], released: [RunIdentity],
        unresolved: [RecordedRun]
    ) {
        let known = Set(recorded.compactMap(\.id)).union(adopted.values)
        let unended = Set(recorded.lazy.filter(\.isUnderWay).compactMap(\.id))
        self.init(
            runsRead: observed.count, runsNew: observed.count { !known.contains($0.id) },
            runsEnded: observed.count { $0.end != nil && unended.contains($0.id) }, adopted: adopted,
            released: released, unresolved: unresolved)
    }
}

extension Ledger {
    /// Does `body` while nobody else is at work on the flow.
    ///
    /// - Returns: `nil`, with nothing done, when another applier holds the flow.
    func locked<Value>(
        _ flow: FlowID, _ body: () async throws(FlowRefresh.Failure) -> Value
    ) async throws(FlowRefresh.Failure) -> Value? {
        let lock: (any FlowLock)?
        do { lock = try await self.lock(flow) } catch { throw .ledger(error) }
        guard let lock else { return nil }
        do throws(FlowRefresh.Failure) {
            let value = try await body()
            await lock.release()
            return value
        } catch {
            await lock.release()
            throw error
        }
    }
}
