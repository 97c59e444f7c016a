import FlowRuns
import Ledger
import SQLiteLedger

/// An update of the local index from the commits that it reflects to those that were fetched, by the files that differ.
struct IndexUpdate: Sendable {
    let index: LedgerIndex
    let cache: CacheRepository
    let target: String
    /// Whether lines must be in canonical form. Those of the files that a commit changes always must.
    let checksForm: Bool

    /// A flow whose commit differs from the version in the index.
    private struct Flow: Sendable {
        let id: FlowID
        let known: (record: FlowRecord, version: String)?
        let difference: CommitDifference
    }

    /// The number of files that are read at once, if a single flow has no more.
    private static let filesPerChunk = 256
    /// The maximum number of chunks in memory: some are parsed while another one is read or stored.
    private static let maxConcurrentChunks = 4

    /// Runs the update.
    ///
    /// - Returns: The flows that are not valid ledgers, whose rows stay as they are.
    /// - Throws: `LedgerError` if the copy is incomplete.
    func run(to heads: [FlowID: CommitID]) async throws(LedgerError) -> [FlowID: LedgerError] {
        let known = await index.flows()
        await index.remove(known.keys.filter { heads[$0] == nil })
        let changed = heads.filter { known[$0.key]?.version != $0.value.description }.sorted { $0.key < $1.key }
        let differences = try await cache.differences(
            changed.map { flow, head in (old: known[flow].flatMap { CommitID($0.version) }, new: head) })
        var chunks: [[Flow]] = [[]]
        var files = 0
        for (flow, difference) in zip(changed.map(\.key), differences) {
            files += difference.files.count
            if files > Self.filesPerChunk {
                chunks.append([])
                files = difference.files.count
            }
            chunks[chunks.count - 1].append(Flow(id: flow, known: known[flow], difference: difference))
        }
        let results = await withTaskGroup(of: Result<[FlowID: LedgerError], LedgerError>.self) { group in
            var results: [Result<[FlowID: LedgerError], LedgerError>] = []
            for (number, chunk) in chunks.enumerated() {
                if number >= Self.maxConcurrentChunks, let result = await group.next() { results.append(result) }
                group.addTask { await update(chunk) }
            }
            return await group.reduce(into: results) { $0.append($1) }
        }
        var faults: [FlowID: LedgerError] = [:]
        for result in results { faults.merge(try result.get()) { first, _ in first } }
        return faults
    }

    private func update(_ chunk: [Flow]) async -> Result<[FlowID: LedgerError], LedgerError> {
        do throws(LedgerError) {
            var contents = try await cache.blobs(chunk.flatMap { $0.difference.files.compactMap(\.blob) })[...]
            var updates: [LedgerIndex.Update] = []
            var faults: [FlowID: LedgerError] = [:]
            for flow in chunk {
                let read = flow.difference.files.map { $0.blob == nil ? nil : contents.popFirst() }
                do throws(LedgerError) { updates.append(try update(of: flow, read)) } catch { faults[flow.id] = error }
            }
            await index.apply(updates)
            return .success(faults)
        } catch { return .failure(error) }
    }

    private func update(of flow: Flow, _ contents: [[UInt8]?]) throws(LedgerError) -> LedgerIndex.Update {
        let commit = flow.difference.new
        let place = "\(cache.remote.shown), flow \(flow.id), commit \(commit.description.prefix(12))"
        let isComplete = flow.difference.old == nil
        var record = isComplete ? nil : flow.known?.record
        var hasHeader = !isComplete
        var spans: [Range<Int64>?] = []
        var entries: [LedgerEntry] = []
        for (file, content) in zip(flow.difference.files, contents) {
            switch file.path {
            case FlowFiles.ledgerPath:
                try FlowFiles.checkHeader(content, target: target, place: place)
                hasHeader = true
            case FlowFiles.recordPath: record = try FlowFiles.record(content, of: flow.id, place: place)
            case let path where path.hasPrefix("runs/"):
                spans.append(try FlowFiles.span(of: path, place: place))
                if let content {
                    entries += try FlowFiles.entries(
                        content, of: flow.id, path: path, place: place, checksForm: checksForm)
                }
            default: break
            }
        }
        guard let record, hasHeader else {
            throw .corrupt("\(place): it has no \(hasHeader ? FlowFiles.recordPath : FlowFiles.ledgerPath)")
        }
        return LedgerIndex.Update(
            record: record, from: flow.known?.version, to: commit.description,
            replacing: isComplete ? nil : spans, entries: entries)
    }
}
