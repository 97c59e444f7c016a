import FlowRuns
import Ledger
import SQLiteLedger

/// An update of the local index from the commits that it reflects to those that were fetched, by the files that differ.
struct IndexUpdate: Sendable {
    let index: LedgerIndex
    let cache: CacheRepository
    let target: String

    /// A flow whose commit differs from the version in the index.
    private struct Flow: Sendable {
        let id: FlowID
        let version: String?
        let record: FlowRecord?
        let difference: CommitDifference
    }

    /// The number of files that are read at once, if a single flow has no more.
    private static let filesPerChunk = 256

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
        let flows = zip(changed, differences).map { changed, difference in
            Flow(
                id: changed.key, version: known[changed.key]?.version, record: known[changed.key]?.record,
                difference: difference)
        }
        return try await read(chunks(of: flows))
    }

    private func chunks(of flows: [Flow]) -> [[Flow]] {
        var chunks: [[Flow]] = []
        var files = 0
        for flow in flows {
            files += flow.difference.files.count
            if chunks.isEmpty || files > Self.filesPerChunk {
                chunks.append([])
                files = flow.difference.files.count
            }
            chunks[chunks.count - 1].append(flow)
        }
        return chunks
    }

    /// Reads and stores the flows. The next chunk is read while one is parsed and the one before is stored.
    private func read(_ chunks: [[Flow]]) async throws(LedgerError) -> [FlowID: LedgerError] {
        var faults: [FlowID: LedgerError] = [:]
        var storing: Task<Void, Never>?
        var reading = chunks.first.map(startReading)
        for (number, chunk) in chunks.enumerated() {
            var contents = try await reading?.value.get()[...] ?? []
            reading = number + 1 < chunks.count ? startReading(chunks[number + 1]) : nil
            var updates: [LedgerIndex.Update] = []
            for flow in chunk {
                let read = flow.difference.files.map { $0.blob == nil ? nil : contents.popFirst() }
                do throws(LedgerError) { updates.append(try update(of: flow, read)) } catch {
                    faults[flow.id] = error
                }
            }
            await storing?.value
            storing = Task { [updates] in await index.apply(updates) }
        }
        await storing?.value
        return faults
    }

    private func startReading(_ chunk: [Flow]) -> Task<Result<[[UInt8]], LedgerError>, Never> {
        let blobs = chunk.flatMap { $0.difference.files.compactMap(\.blob) }
        return Task {
            do throws(LedgerError) { return .success(try await cache.blobs(blobs)) } catch { return .failure(error) }
        }
    }

    private func update(of flow: Flow, _ contents: [[UInt8]?]) throws(LedgerError) -> LedgerIndex.Update {
        let commit = flow.difference.new
        let place = "\(cache.remote.shown), flow \(flow.id), commit \(commit.description.prefix(12))"
        var record = flow.difference.old == nil ? nil : flow.record
        var spans: [Range<Int64>?] = []
        var entries: [LedgerEntry] = []
        for (file, content) in zip(flow.difference.files, contents) {
            switch file.path {
            case FlowFiles.ledgerPath: try FlowFiles.checkHeader(content, target: target, place: place)
            case FlowFiles.recordPath: record = try FlowFiles.record(content, of: flow.id, place: place)
            case let path where path.hasPrefix("runs/"):
                spans.append(try FlowFiles.span(of: path, place: place))
                if let content { entries += try FlowFiles.entries(content, of: flow.id, path: path, place: place) }
            default: break
            }
        }
        guard let record else { throw .corrupt("\(place): it has no \(FlowFiles.recordPath)") }
        return LedgerIndex.Update(
            record: record, from: flow.version, to: commit.description,
            replacing: flow.difference.old == nil ? nil : spans, entries: entries)
    }
}
