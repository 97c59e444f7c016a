import FlowRuns
import Ledger
import SQLiteLedger

/// The reads of the store, which come from the local index.
extension GitLedger {
    package func flows() async throws(LedgerError) -> [FlowRecord] {
        try await refresh(since: .now - freshness)
        return try await fromIndex { index in
            let known = await index.flows()
            var records: [FlowRecord] = []
            for (flow, head) in flowHeads {
                // A flow that is not a valid ledger fails when it is read, and not all flows with it.
                guard faults[flow] != nil || known[flow]?.version == head.description else { return nil }
                records.append(marked(known[flow]?.record ?? FlowRecord(id: flow)))
            }
            return records.sorted { $0.id < $1.id }
        }
    }

    package func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot {
        let read = try await read(flow) { await $0.snapshot(of: flow, version: $1) }
        return FlowSnapshot(record: marked(read?.record ?? FlowRecord(id: flow)), runs: read?.runs ?? [])
    }

    package func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries {
        let read = try await read(flow) { await $0.entries(of: flow, version: $1) }
        return FlowEntries(record: marked(read?.record ?? FlowRecord(id: flow)), entries: read?.entries ?? [])
    }

    /// Reads a flow at its fetched commit; returns `nil` for a flow that has no ref.
    private func read<Value>(
        _ flow: FlowID, _ read: (LedgerIndex, String) async -> Value?
    ) async throws(LedgerError) -> Value? {
        try await refresh(since: .now - freshness)
        let read: Result<Value?, LedgerError> = try await fromIndex { index in
            guard let head = heads[flow.description] else { return .success(nil) }
            if let fault = faults[flow] { return .failure(fault) }
            return await read(index, head.description).map { .success($0) }
        }
        return try read.get()
    }

    /// Runs `git fsck`, and decodes every flow again.
    package func damage() async throws(LedgerError) -> [String] {
        try await refresh(since: .now - freshness)
        let session = try await session()
        if try await session.cache.isDamaged() { try await renewCopy("git fsck found errors") }
        await session.index.remove(session.index.flows().keys.map(\.self))
        (checksForm, indexedVersion) = (true, nil)
        try await fromIndex { _ in () }
        return faults.values.map { if case .corrupt(let reason) = $0 { reason } else { $0.description } }.sorted()
    }

    private func marked(_ record: FlowRecord) -> FlowRecord {
        var record = record
        if flowsToRecheck.contains(record.id) { record.needsRecheck = true }
        return record
    }

    private var flowHeads: [FlowID: CommitID] {
        Dictionary(uniqueKeysWithValues: heads.compactMap { name, head in FlowID(name).map { ($0, head) } })
    }

    // MARK: The index

    /// Reads the index after bringing it to the fetched commits.
    ///
    /// - Parameter read: Returns `nil` if the index has other versions because another process has changed it, or
    ///   because it was damaged.
    func fromIndex<Value>(_ read: (LedgerIndex) async -> Value?) async throws(LedgerError) -> Value {
        let index = try await session().index
        for attempt in 1...10 {
            while indexing != nil || indexedVersion != headsVersion {
                let task = indexing ?? Task { await updateIndex() }
                indexing = task
                try await task.value.get()
            }
            if let value = await read(index) { return value }
            indexedVersion = nil
            // A process that has fetched other commits brings the index to these, which are usually newer.
            if attempt > 1 { try await refresh(since: .now) }
            if attempt == 5 { index.leaveFile() }
        }
        throw .unusable("the local index of the ledger is damaged: run the command again")
    }

    private func updateIndex() async -> Result<Void, LedgerError> {
        defer { indexing = nil }
        do throws(LedgerError) {
            try await fromCopy { () async throws(LedgerError) in
                let (session, version) = (try await session(), headsVersion)
                let update = IndexUpdate(
                    index: session.index, cache: session.cache, target: target, checksForm: checksForm)
                faults = try await update.run(to: flowHeads)
                indexedVersion = version
            }
            return .success(())
        } catch { return .failure(error) }
    }
}
