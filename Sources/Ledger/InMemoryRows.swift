import FlowRuns

/// The rows of one target in memory.
struct InMemoryRows: LedgerTransaction, Sendable {
    private struct Flow: Sendable {
        var record: FlowRecord
        /// Sorted by identity, so that the attempts of a window stand together.
        var entries: [LedgerEntry] = []

        /// Where the identity stands, or would stand.
        func position(of identity: RunIdentity) -> Int {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].run.identity.precedes(identity) { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func attempts(of identity: RunIdentity) -> ArraySlice<LedgerEntry> {
            let first = position(
                of: RunIdentity(
                    flow: identity.flow, window: identity.window, rerun: identity.rerun, attempt: .min))
            return entries[first...].prefix { $0.run.identity.isOfSameWindow(as: identity) }
        }
    }

    private var flows: [FlowID: Flow] = [:]
    private var identities: [RunID: RunIdentity] = [:]

    func record(of flow: FlowID) -> FlowRecord { flows[flow]?.record ?? FlowRecord(id: flow) }

    mutating func save(_ record: FlowRecord) {
        flows[record.id, default: Flow(record: record)].record = record
    }

    func entry(_ identity: RunIdentity) -> LedgerEntry? {
        attempts(of: identity).first { $0.run.identity.attempt == identity.attempt }
    }

    func entry(of run: RunID) -> LedgerEntry? { identities[run].flatMap(entry) }

    func attempts(of identity: RunIdentity) -> [LedgerEntry] {
        flows[identity.flow].map { Array($0.attempts(of: identity)) } ?? []
    }

    func lastAttempt(of identity: RunIdentity) -> Int {
        flows[identity.flow]?.attempts(of: identity).last?.run.identity.attempt ?? 0
    }

    mutating func insert(_ entry: LedgerEntry) -> Bool {
        let identity = entry.run.identity
        let isTaken = flows[identity.flow]?.attempts(of: identity).contains {
            $0.run.identity.attempt == identity.attempt || ($0.run.isLivingRequest && entry.run.isLivingRequest)
        }
        if isTaken == true { return false }
        if let run = entry.run.id {
            guard identities[run] == nil else { return false }
            identities[run] = identity
        }
        place(entry)
        return true
    }

    mutating func replace(_ identity: RunIdentity, with entry: LedgerEntry) {
        remove(identity)
        if let run = entry.run.id { identities[run] = entry.run.identity }
        place(entry)
    }

    mutating func remove(_ identity: RunIdentity) {
        guard let entry = entry(identity), let position = flows[identity.flow]?.position(of: identity) else { return }
        flows[identity.flow]?.entries.remove(at: position)
        if let run = entry.run.id { identities[run] = nil }
    }

    private mutating func place(_ entry: LedgerEntry) {
        let flow = entry.run.flow
        let position = flows[flow]?.position(of: entry.run.identity) ?? 0
        flows[flow, default: Flow(record: FlowRecord(id: flow))].entries.insert(entry, at: position)
    }

    func entries(of flow: FlowID) -> [LedgerEntry] { flows[flow]?.entries ?? [] }

    func runs(of flow: FlowID) -> [RecordedRun] { flows[flow]?.entries.map(\.run) ?? [] }

    /// Sorted by flow.
    var records: [FlowRecord] { flows.values.map(\.record).sorted { $0.id < $1.id } }
}
