import FlowRuns
import Foundation
import Ledger
import SQLiteLedger

/// The files of a flow's commit that a new commit changes, in the export format.
///
/// The runs are grouped by the month of their window's start, so that a commit changes few files.
struct FlowFiles: Sendable {
    static let ledgerPath = "ledger.json"
    static let recordPath = "flow.json"

    /// The commit that the files were read from; `nil` if the flow has no ref.
    let parent: CommitID?
    let record: FlowRecord
    /// The runs of each file that the new commit changes, by path.
    private let runs: [String: [LedgerEntry]]

    /// Returns the path of the file for a window: `runs/2024-05.jsonl` (a month in UTC), or `runs/unknown.jsonl` for
    /// `nil`.
    static func path(of window: Window?) -> String {
        window.map { path(of: $0.start) } ?? "runs/unknown.jsonl"
    }

    private static func path(of start: Timestamp) -> String { "runs/\(UTCTime(start).date.dropLast(3)).jsonl" }

    // MARK: Read

    /// Reads the files that commits change, at the given heads. The local index plays no part in it: what is written
    /// depends only on the commit that the push names.
    ///
    /// - Returns: The files of each commit, in the same order, or the reason why the flow is not a valid ledger.
    /// - Throws: `LedgerError` if the copy is incomplete.
    static func read(
        _ commits: [(commit: FlowCommit, head: CommitID?)], from cache: CacheRepository
    ) async throws(LedgerError) -> [Result<FlowFiles, LedgerError>] {
        var listed = try await cache.differences(commits.compactMap(\.head).map { (old: nil, new: $0) })[...]
        var wanted: [[FileChange]] = []
        for (commit, head) in commits {
            let paths = commit.runPaths.union([recordPath])
            wanted.append(head == nil ? [] : (listed.popFirst()?.files ?? []).filter { paths.contains($0.path) })
        }
        var contents = try await cache.blobs(wanted.flatMap { $0.compactMap(\.blob) })[...]
        return zip(commits, wanted).map { pair, files in
            let flow = pair.commit.record.id
            let read = contents.prefix(files.count)
            contents = contents.dropFirst(files.count)
            return Result { () throws(LedgerError) in
                let place = "\(cache.remote.shown), flow \(flow)"
                var record = FlowRecord(id: flow)
                var runs: [String: [LedgerEntry]] = [:]
                if pair.head != nil {
                    let content = zip(files, read).first { $0.0.path == recordPath }?.1
                    record = try Self.record(content, of: flow, place: place)
                }
                for (file, content) in zip(files, read) where file.path != recordPath {
                    runs[file.path] = try entries(content, of: flow, path: file.path, place: place)
                }
                return FlowFiles(parent: pair.head, record: record, runs: runs)
            }
        }
    }

    static func checkHeader(_ content: [UInt8]?, target: String, place: String) throws(LedgerError) {
        guard let content, case .ledger(let version, let identity)? = try? ExportedLine(content.firstLine) else {
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
        guard let content, case .flow(let record)? = try? ExportedLine(content.firstLine), record.id == flow else {
            throw .corrupt("\(place): \(recordPath) is not the record of the flow")
        }
        return record
    }

    /// Parses a file of runs, all of which must belong in it.
    static func entries(
        _ content: [UInt8], of flow: FlowID, path: String, place: String, checksForm: Bool = true
    ) throws(LedgerError) -> [LedgerEntry] {
        let span = try span(of: path, place: place)
        return try content.withUnsafeBufferPointer { (bytes) throws(LedgerError) in
            var entries: [LedgerEntry] = []
            var (start, number) = (0, 0)
            while start < bytes.count {
                let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
                number += 1
                let read: ExportedLine
                do throws(ExportedLine.LineError) {
                    let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
                    read = try ExportedLine(line, of: flow, checksForm: checksForm)
                } catch { throw .corrupt("\(place), \(path), line \(number): \(error.message)") }
                start = end + 1
                guard case .run(let entry) = read, entry.run.flow == flow,
                    entry.run.window.map({ span?.contains($0.start.seconds) ?? false }) ?? (span == nil)
                else { throw .corrupt("\(place), \(path), line \(number): it is not a run of the flow and month") }
                entries.append(entry)
            }
            return entries
        }
    }

    /// Returns the seconds of a file's month; `nil` for the file of unknown windows.
    static func span(of path: String, place: String) throws(LedgerError) -> Range<Int64>? {
        if path == Self.path(of: nil) { return nil }
        let parts = path.dropFirst(5).dropLast(6).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2, let start = Timestamp(year: parts[0], month: parts[1], day: 1),
            Self.path(of: start) == path
        else {
            throw .corrupt("\(place), \(path): it is not the file of a month")
        }
        let days = UTCTime.daysInMonth(parts[1], of: parts[0])
        return start.seconds..<start.seconds + Int64(days) * 86_400
    }

    // MARK: Write

    /// Applies a commit to the files.
    ///
    /// - Parameter others: Rows of other files that the changes must not contradict.
    /// - Returns: The new contents by path, where `nil` deletes a file, and the runs in these files.
    /// - Throws: `LedgerError` if a change violates an invariant of the ledger.
    func changed(
        by commit: FlowCommit, besides others: [LedgerEntry], target: String
    ) throws(LedgerError) -> (contents: [String: [UInt8]?], runs: [LedgerEntry]) {
        let paths = commit.runPaths
        let others = others.filter { !paths.contains(Self.path(of: $0.run.window)) }
        var rows = FlowRows((runs.values.flatMap(\.self) + others).sorted { $0.run.identity < $1.run.identity })
        for change in commit.changes { try rows.make(change) }
        let after = Dictionary(grouping: rows.entries) { Self.path(of: $0.run.window) }
        var contents: [String: [UInt8]?] = [Self.recordPath: LedgerExport.line(commit.record)]
        if parent == nil { contents[Self.ledgerPath] = LedgerExport.header(target: target) }
        for path in paths where runs[path] != after[path] {
            contents.updateValue(after[path].map { $0.flatMap { LedgerExport.line($0) } }, forKey: path)
        }
        return (contents, contents.keys.sorted().flatMap { after[$0] ?? [] })
    }
}

extension FlowCommit {
    /// The files of runs that the commit may change.
    var runPaths: Set<String> {
        Set(
            changes.flatMap { change -> [Window?] in
                switch change {
                case .insert(let entry): [entry.run.window]
                case .update(let identity, .window(let known), _): [identity.window, known.window]
                case .update(let identity, _, _), .remove(let identity): [identity.window]
                }
            }.map(FlowFiles.path))
    }
}

extension [UInt8] {
    fileprivate var firstLine: ArraySlice<UInt8> { prefix { $0 != UInt8(ascii: "\n") } }
}
