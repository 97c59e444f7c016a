import FlowRuns
import Ledger

/// The files of a Git commit, which contain a flow's record and runs in the export format.
///
/// The runs are grouped by the month of their window's start, so that a commit changes few files.
struct FlowFiles: Sendable {
    static let ledgerPath = "ledger.json"
    static let recordPath = "flow.json"

    /// The commit that the files were read from; `nil` if the flow has no ref.
    let commit: CommitID?
    let record: FlowRecord
    /// The runs of each file in ledger order, by path.
    let runs: [String: [LedgerEntry]]
    /// The known blob IDs of the files, by path.
    private let blobs: [String: String]

    /// Creates the files of a flow that has no ref.
    init(_ flow: FlowID) {
        commit = nil
        record = FlowRecord(id: flow)
        runs = [:]
        blobs = [:]
    }

    private init(commit: CommitID?, record: FlowRecord, runs: [String: [LedgerEntry]], blobs: [String: String]) {
        self.commit = commit
        self.record = record
        self.runs = runs
        self.blobs = blobs
    }

    /// All runs in ledger order.
    var entries: [LedgerEntry] {
        let all = runs.sorted { $0.key < $1.key }.flatMap(\.value)
        let isSorted = zip(all, all.dropFirst()).allSatisfy { $0.run.identity.precedes($1.run.identity) }
        return isSorted ? all : all.sorted { $0.run.identity.precedes($1.run.identity) }
    }

    /// Returns the path of the file for a window: `runs/2024-05.jsonl` (a month in UTC), or `runs/unknown.jsonl` for
    /// `nil`.
    static func path(of window: Window?) -> String {
        guard let window else { return "runs/unknown.jsonl" }
        return "runs/\(UTCTime(window.start).date.dropLast(3)).jsonl"
    }

    // MARK: Read

    /// Reads the files of a commit.
    ///
    /// - Parameters:
    ///   - known: An earlier version of the same flow; unchanged files are reused.
    ///   - target: The expected identity of the ledger's target.
    /// - Throws: `LedgerError.corrupt` if the files are not a valid ledger of the target;
    ///   `LedgerError.newer(found:supported:)` if a newer Sluice wrote them.
    static func read(
        _ flow: FlowID, at commit: CommitID, known: FlowFiles?, target: String, from cache: CacheRepository
    ) async throws(LedgerError) -> FlowFiles {
        let files = try await cache.files(of: commit).filter { $0.path.hasPrefix("runs/") }
        let changed = files.filter { known?.blobs[$0.path] != $0.blob || known?.runs[$0.path] == nil }
        let contents = try await cache.contents(
            of: ["\(commit):\(ledgerPath)", "\(commit):\(recordPath)"] + changed.map(\.blob))
        let place = "\(cache.remote.shown), flow \(flow), commit \(commit.description.prefix(12))"
        try checkHeader(contents[0], target: target, place: place)
        let record = try record(contents[1], of: flow, place: place)
        var runs = known?.runs.filter { path, _ in files.contains { $0.path == path } } ?? [:]
        for (file, content) in zip(changed, contents.dropFirst(2)) {
            runs[file.path] = try entries(content, of: flow, place: "\(place), \(file.path)")
        }
        return FlowFiles(
            commit: commit, record: record, runs: runs,
            blobs: Dictionary(files.map { ($0.path, $0.blob) }) { first, _ in first })
    }

    static func checkHeader(_ content: [UInt8]?, target: String, place: String) throws(LedgerError) {
        guard let content, case .ledger(let version, let identity)? = try? ExportedLine(content.lines.first ?? [])
        else {
            throw .corrupt("\(place): it has no \(ledgerPath)")
        }
        guard LedgerExport.readableVersions.contains(version) else {
            throw .newer(found: version, supported: LedgerExport.formatVersion)
        }
        guard identity == target else {
            throw .corrupt("\(place): it is the ledger of '\(identity)', not of '\(target)'")
        }
    }

    static func record(_ content: [UInt8]?, of flow: FlowID, place: String) throws(LedgerError) -> FlowRecord {
        guard let content, case .flow(let record)? = try? ExportedLine(content.lines.first ?? []), record.id == flow
        else {
            throw .corrupt("\(place): \(recordPath) is not the record of the flow")
        }
        return record
    }

    private static func entries(
        _ content: [UInt8]?, of flow: FlowID, place: String
    ) throws(LedgerError) -> [LedgerEntry] {
        // Reading missing content as a month without runs would make the next commit delete the month for all users.
        guard let content else { throw .corrupt("\(place): its content is missing") }
        var entries: [LedgerEntry] = []
        for (index, line) in content.lines.enumerated() {
            let read: ExportedLine
            do throws(ExportedLine.LineError) { read = try ExportedLine(line, of: flow) } catch {
                throw .corrupt("\(place), line \(index + 1): \(error.message)")
            }
            guard case .run(let entry) = read, entry.run.flow == flow else {
                throw .corrupt("\(place), line \(index + 1): it is not a run of the flow")
            }
            entries.append(entry)
        }
        return entries
    }

    // MARK: Write

    /// Applies a commit to the files.
    ///
    /// - Returns: The new files, still with the ID of the old commit, and the changed contents by path; `nil` deletes a
    ///   file.
    /// - Throws: `LedgerError` if a change violates an invariant of the ledger.
    func changed(
        by commit: FlowCommit, target: String
    ) throws(LedgerError) -> (files: FlowFiles, changes: [String: [UInt8]?]) {
        var rows = FlowRows(entries)
        for change in commit.changes { try rows.make(change) }
        let after = Dictionary(grouping: rows.entries) { Self.path(of: $0.run.window) }
        var changes: [String: [UInt8]?] = [Self.recordPath: LedgerExport.line(commit.record)]
        if self.commit == nil { changes[Self.ledgerPath] = LedgerExport.header(target: target) }
        for path in Set(runs.keys).union(after.keys) where runs[path] != after[path] {
            changes.updateValue(after[path].map { $0.flatMap { LedgerExport.line($0) } }, forKey: path)
        }
        let kept = blobs.filter { path, _ in changes[path] == nil }
        return (FlowFiles(commit: self.commit, record: commit.record, runs: after, blobs: kept), changes)
    }

    /// Returns a copy with the ID of the new commit.
    func committed(as commit: CommitID) -> FlowFiles {
        FlowFiles(commit: commit, record: record, runs: runs, blobs: blobs)
    }
}

extension [UInt8] {
    fileprivate var lines: [ArraySlice<UInt8>] { split(separator: UInt8(ascii: "\n")) }
}
