import FlowRuns
import FlowService
import Ledger
import Manifests
import Synchronization

/// Reads of several flows per call, as long as the service supports such calls and they save others. Flows without a
/// result must be read separately.
struct GroupReading {
    let context: ApplierContext

    private var settle: Duration { context.limits.settle }

    /// The results of several calls, and the number of calls; `nil` after an error.
    private typealias Answer<Value> = (values: [FlowID: Value], calls: Int)?

    /// Reads the flows' descriptions.
    func flows(_ flows: [FlowID]) async -> [FlowID: ServiceFlow] {
        await inGroups(flows) { group in
            do throws(FlowServiceError) { return try await read(group) } catch { return nil }
        }
    }

    private func read(_ group: [FlowID]) async throws(FlowServiceError) -> Answer<ServiceFlow> {
        var flows: [FlowID: ServiceFlow] = [:]
        var calls = 0
        var paging = Paging("/flows")
        while true {
            let page = try await context.service.flows(ids: group, after: paging.next)
            calls += 1
            let new = page.items.filter { group.contains($0.id) && flows[$0.id] == nil }
            for flow in new { flows[flow.id] = flow }
            // A page without any of the requested flows may mean that the service ignores the filter and lists all
            // flows.
            guard !new.isEmpty, flows.count < group.count, try paging.advance(after: page, newItems: new.count) else {
                return (flows, calls)
            }
        }
    }

    /// Reads the flows' new and unfinished runs. Flows whose newest runs are of similar age are listed together, so
    /// that no group is read back further than its flows need.
    func runs(of declarations: [FlowDeclaration]) async -> [FlowID: RunListing] {
        let declared = Set(declarations.map(\.id))
        guard let records = try? await context.store.flows() else { return [:] }
        let listable = records.filter { declared.contains($0.id) && GroupListing.isReliable(for: $0) }
            .sorted { ($1.newestRunAt ?? .min, $0.id) < ($0.newestRunAt ?? .min, $1.id) }
        return await inGroups(listable) { group in
            do throws(FlowServiceError) {
                return try await read(group)
            } catch { return nil }
        }
    }

    private func read(
        _ group: [FlowRecord]
    ) async throws(FlowServiceError) -> Answer<RunListing> {
        var (listing, calls) = try await list(group)
        var runs: [FlowID: [ObservedRun]] = [:]
        var owners: [RunID: (flow: FlowID, ledger: FlowLedger)] = [:]
        for flow in group.map(\.id) {
            guard let snapshot = try? await context.store.snapshot(of: flow) else { continue }
            let ledger = FlowLedger(snapshot)
            runs[flow] = listing.runs(of: ledger, settle: settle)
            guard let listed = runs[flow] else { continue }
            let ids = ledger.idsToAsk(besides: listed, readsRunsUnderWay: true)
            for id in ids { owners[id] = (flow, ledger) }
        }
        for listed in try await context.service.runs(ids: owners.keys.sorted()) {
            guard let (flow, ledger) = owners[listed.run.id] else { continue }
            guard listed.flow == flow else {
                runs[flow] = nil
                continue
            }
            if context.isConclusive(listed.run, for: ledger) { runs[flow]?.append(listed.run) }
        }
        calls += (owners.count + SeveralValues.maxIDs - 1) / SeveralValues.maxIDs
        return (runs.mapValues { RunListing(some: $0) }, calls)
    }

    /// Reads the group's listing back as far as its flows need, in at most a quarter as many calls as it has flows.
    private func list(_ group: [FlowRecord]) async throws(FlowServiceError) -> (GroupListing, calls: Int) {
        var listing = GroupListing()
        var calls = 0
        var paging = Paging("/runs")
        while true {
            let page = try await context.service.runs(ofAny: group.map(\.id), after: paging.next)
            calls += 1
            let new = listing.add(page)
            guard listing.isInOrder, calls < group.count / 4,
                !group.allSatisfy({ listing.reachesBack(for: $0, settle: settle) }),
                try paging.advance(after: page, newItems: new)
            else { return (listing, calls) }
        }
    }

    /// Reads items in groups, the first group alone. If a group yields no more results than it took calls, no further
    /// group is read.
    private func inGroups<Item: Sendable, Value: Sendable>(
        _ items: [Item], read: @escaping @Sendable ([Item]) async -> Answer<Value>
    ) async -> [FlowID: Value] {
        let isWorthwhile = Mutex(true)
        @Sendable func values(of group: [Item]) async -> [FlowID: Value] {
            guard group.count > 1, isWorthwhile.withLock({ $0 }), !context.stop.isRequested else { return [:] }
            let answer = await read(group)
            let values = answer?.values ?? [:]
            if values.count <= answer?.calls ?? 0 { isWorthwhile.withLock { $0 = false } }
            return values
        }
        let groups = items.chunks(of: SeveralValues.maxIDs)
        guard let first = groups.first else { return [:] }
        let others = await [values(of: first)] + context.inParallel(Array(groups.dropFirst())) { await values(of: $0) }
        return others.reduce(into: [:]) { all, values in all.merge(values) { first, _ in first } }
    }
}

/// The newest runs of several flows from one listing, possibly incomplete.
///
/// Listing several flows at once is undocumented: a service may list only one of the flows, or none, or in any order.
/// Therefore the listing is used for a flow only if it is sorted by time, reaches back beyond everything that the last
/// comparison may have missed, and contains the newest run that the last comparison has seen.
struct GroupListing {
    private var listed: [ListedRun] = []
    private var listedIDs: Set<RunID> = []
    /// Whether the listing is sorted by creation time, newest first, and every run carries its flow.
    private(set) var isInOrder = true
    private var isComplete = false

    /// Adds a page.
    ///
    /// - Returns: the number of runs on this page that were on no previous page.
    mutating func add(_ page: Page<ListedRun>) -> Int {
        let new = page.items.filter { listedIDs.insert($0.run.id).inserted }
        for item in new {
            let isOlder = listed.last.map { $0.run.createdAt >= item.run.createdAt } ?? true
            isInOrder = isInOrder && isOlder && item.flow != nil && item.run.createdAt.milliseconds > 0
            listed.append(item)
        }
        isComplete = page.next == nil
        return new.count
    }

    /// Whether a group listing is reliable for a flow. If not (before the first comparison, or after a restored
    /// ledger), the flow is read separately.
    static func isReliable(for record: FlowRecord) -> Bool {
        record.contactedAt != nil && record.newestRunAt != nil && !record.needsRecheck
    }

    /// Whether a group listing is reliable for a flow, which must also have no open request.
    static func isReliable(for ledger: FlowLedger) -> Bool {
        isReliable(for: ledger.record) && ledger.openRequests.isEmpty
    }

    /// Whether the listing reaches back beyond everything that the flow's last comparison may have missed.
    func reachesBack(for record: FlowRecord, settle: Duration) -> Bool {
        guard isInOrder, let since = record.unlistedSince(settle: settle), let last = listed.last?.run.createdAt else {
            return false
        }
        return last < since
    }

    /// Returns the flow's runs; `nil` if the listing is not reliable for this flow, so the flow must be read
    /// separately.
    func runs(of ledger: FlowLedger, settle: Duration) -> [ObservedRun]? {
        let record = ledger.record
        guard Self.isReliable(for: ledger), isInOrder else { return nil }
        let own = listed.filter { $0.flow == record.id }.map(\.run)
        let recorded = ledger.runIDs
        guard own.contains(where: { $0.createdAt == record.newestRunAt && recorded.contains($0.id) }) else {
            return nil
        }
        // A short listing may be truncated, unless it contains every recorded run.
        let holdsAll = isComplete && recorded.isSubset(of: own.map(\.id))
        return reachesBack(for: record, settle: settle) || holdsAll ? own : nil
    }
}
