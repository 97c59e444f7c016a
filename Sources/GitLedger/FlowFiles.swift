import FlowRuns
import Foundation
import Ledger
import SQLiteLedger

/// The files of a flow's commit in the export format, or those that differ from an older commit.
///
/// The runs are grouped by the month of their window's start, so that a commit changes few files.
struct FlowFiles: Sendable {
    static let ledgerPath = "ledger.json"
    static let recordPath = "flow.json"

    /// The commit that the files were read from; `nil` if the flow has no ref.
    let commit: CommitID?
    let record: FlowRecord
    /// The runs of each file that was read, by path; none for a deleted file.
    let runs: [String: [LedgerEntry]]

    /// Returns the path of the file for a window: `runs/2024-05.jsonl` (a month in UTC), or `runs/unknown.jsonl` for
    /// `nil`.
    static func path(of window: Window?) -> String {
        window.map { path(of: $0.start) } ?? "runs/unknown.jsonl"
    }

    private static func path(of start: Timestamp) -> String { "runs/\(UTCTime(start).date.dropLast(3)).jsonl" }

    /// The files of a flow without a ref.
    init(of flow: FlowID) { (commit, record, runs) = (nil, FlowRecord(id: flow), [:]) }

    // MARK: Read

    /// Files to read.
    struct Request: Sendable {
        let flow: FlowID
        var difference: CommitDifference
        /// The version of the flow in the local index, with its record.
        var version: String?
        var record: FlowRecord?

        /// Returns the change to the local index.
        func update(_ files: FlowFiles) throws(LedgerError) -> LedgerIndex.Update {
            LedgerIndex.Update(
                record: files.record, from: version, to: difference.new.description,
                replacing: difference.old == nil ? nil : try FlowFiles.spans(of: files.runs.keys),
                entries: files.runs.values.flatMap(\.self))
        }
    }

    /// Reads files with a single process.
    ///
    /// - Parameter checksForm: Whether lines must be in canonical form. Those of the files that a commit changes always
    ///   must.
    /// - Returns: The files of each request, in the same order, or the reason why the flow is not a valid ledger.
    /// - Throws: `LedgerError` if the copy is incomplete.
    static func read(
        _ requests: [Request], from cache: CacheRepository, target: String, checksForm: Bool
    ) async throws(LedgerError) -> [Result<FlowFiles, LedgerError>] {
        var contents = try await cache.blobs(requests.flatMap { $0.difference.files.compactMap(\.blob) })[...]
        return requests.map { request in
            let files = request.difference.files.map { ($0.path, $0.blob == nil ? nil : contents.popFirst()) }
            let place = "\(cache.remote.shown), flow \(request.flow), commit \("\(request.difference.new)".prefix(12))"
            return Result { () throws(LedgerError) in
                try FlowFiles(request, files, target: target, place: place, checksForm: checksForm)
            }
        }
    }

    private init(
        _ request: Request, _ files: [(path: String, content: ArraySlice<UInt8>?)], target: String, place: String,
        checksForm: Bool
    ) throws(LedgerError) {
        let isComplete = request.difference.old == nil
        var (record, hasHeader) = (isComplete ? nil : request.record, !isComplete)
        var runs: [String: [LedgerEntry]] = [:]
        for (path, content) in files {
            switch path {
            case Self.ledgerPath:
                try Self.checkHeader(content, target: target, place: place)
                hasHeader = true
            case Self.recordPath: record = try Self.record(content, of: request.flow, place: place)
            case let path where path.hasPrefix("runs/"):
                runs[path] = try Self.entries(
                    content ?? [], of: request.flow, path: path, place: place, checksForm: checksForm)
            default: break
            }
        }
        guard let record, hasHeader else {
            throw .corrupt("\(place): it has no \(hasHeader ? Self.recordPath : Self.ledgerPath)")
        }
        (self.commit, self.record, self.runs) = (request.difference.new, record, runs)
    }

    private static func checkHeader(_ content: ArraySlice<UInt8>?, target: String, place: String) throws(LedgerError) {
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

    private static func record(_ content: ArraySlice<UInt8>?, of flow: FlowID, place: String) throws(LedgerError)
        -> FlowRecord
    {
        guard let content, case .flow(let record)? = try? ExportedLine(content.firstLine), record.id == flow else {
            throw .corrupt("\(place): \(recordPath) is not the record of the flow")
        }
        return record
    }

    /// Parses a file of runs, all of which must belong in it.
    private static func entries(
        _ content: ArraySlice<UInt8>, of flow: FlowID, path: String, place: String, checksForm: Bool
    ) throws(LedgerError) -> [LedgerEntry] {
        let span = try span(of: path, place: place)
        return try content.withUnsafeBufferPointer { (bytes) throws(LedgerError) in
            var entries: [LedgerEntry] = []
            var (start, number) = (0, 0)
            while let base = bytes.baseAddress, start < bytes.count {
                let lineFeed = memchr(base + start, 0x0A, bytes.count - start)
                let end = lineFeed.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) } ?? bytes.count
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

    static func spans(of paths: some Sequence<String>) throws(LedgerError) -> [Range<Int64>?] {
        try paths.map { (path) throws(LedgerError) in try span(of: path, place: "the local index") }
    }

    /// Returns the seconds of a file's month; `nil` for the file of unknown windows.
    private static func span(of path: String, place: String) throws(LedgerError) -> Range<Int64>? {
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
    /// - Returns: The new contents by path, where `nil` deletes a file, and the runs in the changed files.
    /// - Throws: `LedgerError` if a change violates an invariant of the ledger.
    func changed(
        by commit: FlowCommit, besides others: [LedgerEntry], target: String
    ) throws(LedgerError) -> (contents: [String: [UInt8]?], runs: [String: [LedgerEntry]]) {
        let paths = commit.runPaths
        let others = others.filter { !paths.contains(Self.path(of: $0.run.window)) }
        var rows = FlowRows((runs.values.flatMap(\.self) + others).sorted { $0.run.identity < $1.run.identity })
        for change in commit.changes { try rows.make(change) }
        let after = Dictionary(grouping: rows.entries) { Self.path(of: $0.run.window) }
        var contents: [String: [UInt8]?] = [Self.recordPath: LedgerExport.line(commit.record)]
        if self.commit == nil { contents[Self.ledgerPath] = LedgerExport.header(target: target) }
        var changed: [String: [LedgerEntry]] = [:]
        for path in paths where runs[path] != after[path] {
            contents.updateValue(after[path].map { $0.flatMap { LedgerExport.line($0) } }, forKey: path)
            changed[path] = after[path] ?? []
        }
        return (contents, changed)
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

extension ArraySlice<UInt8> {
    fileprivate var firstLine: ArraySlice<UInt8> { prefix { $0 != UInt8(ascii: "\n") } }
}
