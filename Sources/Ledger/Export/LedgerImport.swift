import FlowRuns
import Synchronization

/// A checked export of a ledger, ready to be imported. Its runs are read again during the import, so that only a part
/// of the export is in memory.
///
/// ```swift
/// let backup = try LedgerImport(bytes, targets: target.identities)
/// try await backup.restore(into: ledger, nonce: { UUID().uuidString })
/// ```
package struct LedgerImport: Sendable {
    /// A flow of the export, and the position of its runs.
    struct Flow: Sendable {
        let record: FlowRecord
        let line: Int
        /// The offset of the flow's first run in the export, in bytes.
        let offset: Int
        var runCount = 0
    }

    /// The flows, in the order of the file.
    private let flows: [Flow]
    private let bytes: any ExportBytes

    package var flowCount: Int { flows.count }
    package var runCount: Int { flows.reduce(0) { $0 + $1.runCount } }

    /// Reads all lines and collects their errors.
    ///
    /// - Parameters:
    ///   - bytes: the export.
    ///   - targets: the current and former identities of the target, one of which the export must have.
    /// - Throws: ``LedgerImportError/lines(_:)`` when lines have errors, and ``LedgerImportError/unreadable(_:)`` when
    ///   the export cannot be read.
    package init(_ bytes: some ExportBytes, targets: [String]) throws(LedgerImportError) {
        var lines = ExportLines(bytes)
        var check = ExportCheck(targets: targets)
        while !check.isHopeless, try lines.next({ check.read($0) }) != nil {}
        check.finish()
        guard check.errors.count == 0 else { throw .lines(check.errors) }
        flows = check.flows
        self.bytes = bytes
    }

    /// Imports everything into the ledger; nothing if any record conflicts with the ledger. Each flow is imported
    /// completely or not at all. Existing records are not changed, so the import is idempotent.
    ///
    /// Each changed flow is marked for a recheck, because an export may be older than the last run. The next apply
    /// waits until the service must list all runs, and compares each flow in full before its first request.
    ///
    /// - Parameters:
    ///   - store: the ledger.
    ///   - report: receives the number of imported flows and the total.
    ///   - nonce: returns a new nonce for each changed flow.
    /// - Throws: ``LedgerImportError/lines(_:)`` when records conflict with the ledger;
    ///   ``LedgerImportError/ledger(_:)`` when the ledger fails; ``LedgerImportError/unreadable(_:)`` when the export
    ///   cannot be read.
    package func restore(
        into store: some LedgerStore, report: (Int, Int) -> Void = { _, _ in }, nonce: () -> String
    ) async throws(LedgerImportError) {
        var conflicts = LedgerImportError.Lines()
        var known: [FlowID: FlowRecord] = [:]
        for flow in flows {
            let record = try await ledger { () async throws(LedgerError) in try await store.record(of: flow.record.id) }
            known[record.id] = record
            if record.revision.number > 0 { try await addConflicts(of: flow, with: store, record, to: &conflicts) }
        }
        guard conflicts.count == 0 else { throw .lines(conflicts) }
        var done = 0
        for group in groups(of: flows.filter { known[$0.record.id]?.revision.number == 0 }) {
            try await add(group, to: store, known, nonce: nonce)
            done += group.count
            report(done, flows.count)
        }
        for flow in flows where known[flow.record.id]?.revision.number != 0 {
            try await complete(flow, in: store, nonce: nonce())
        }
    }
}

extension LedgerImport {
    /// Number of runs per chunk.
    private static let partSize = 1_000
    private static let groupSize = 100_000

    private func addConflicts(
        of flow: Flow, with store: some LedgerStore, _ record: FlowRecord, to conflicts: inout LedgerImportError.Lines
    ) async throws(LedgerImportError) {
        if record.revision.number != flow.record.revision.number || record.deltaColumn != flow.record.deltaColumn {
            conflicts.add(flow.line, "the ledger has this flow at revision \(record.revision.number)")
        }
        conflicts = try await comparison(of: flow, with: store, after: conflicts).conflicts
    }

    private func comparison(
        of flow: Flow, with store: some LedgerStore, after conflicts: LedgerImportError.Lines = .init()
    ) async throws(LedgerImportError) -> ImportComparison {
        let comparison = Mutex(ImportComparison(flow, bytes, after: conflicts))
        try await ledger { () async throws(LedgerError) in
            try await store.scan(flow.record.id) { part in comparison.withLock { $0.merge(part) } }
        }
        return try comparison.withLock { (comparison) throws(LedgerImportError) in
            try comparison.finish()
            return comparison
        }
    }

    /// Groups small flows: a transaction per flow would take longer than writing the rows.
    private func groups(of flows: [Flow]) -> [ArraySlice<Flow>] {
        var groups: [ArraySlice<Flow>] = []
        var (start, runs) = (0, 0)
        for (index, flow) in flows.enumerated() {
            runs += flow.runCount
            guard runs >= Self.groupSize || index == flows.count - 1 else { continue }
            groups.append(flows[start...index])
            (start, runs) = (index + 1, 0)
        }
        return groups
    }

    /// Adds flows that the ledger does not contain.
    private func add(
        _ flows: ArraySlice<Flow>, to store: some LedgerStore, _ known: [FlowID: FlowRecord], nonce: () -> String
    ) async throws(LedgerImportError) {
        let failure = Mutex<LedgerImportError?>(nil)
        let new = flows.map { [bytes] flow in
            NewFlow(
                record: flow.record.imported(as: Revision(number: flow.record.revision.number, token: nonce())),
                expecting: known[flow.record.id]?.revision ?? Revision()
            ) {
                var runs = ImportedRuns(flow, bytes)
                return { () throws(LedgerError) in
                    do throws(LedgerImportError) { return try runs.next(Self.partSize) } catch {
                        failure.withLock { $0 = error }
                        throw .unusable("\(error)")
                    }
                }
            }
        }
        do throws(LedgerImportError) {
            try await ledger { () async throws(LedgerError) in try await store.add(new) }
        } catch {
            throw failure.withLock { $0 } ?? error
        }
    }

    /// Adds the runs that the ledger lacks to an existing flow.
    private func complete(_ flow: Flow, in store: some LedgerStore, nonce: String) async throws(LedgerImportError) {
        let comparison = try await comparison(of: flow, with: store)
        guard !comparison.missing.isEmpty else { return }
        let before = comparison.record
        let commit = FlowCommit(
            expecting: before.revision,
            record: before.imported(as: Revision(number: before.revision.number + 1, token: nonce)),
            changes: comparison.missing.map(LedgerChange.insert))
        try await ledger { () async throws(LedgerError) in
            guard try await store.commit(commit) == .done else { throw .changedDuringImport(flow.record.id) }
        }
    }

    private func ledger<Value>(
        _ body: () async throws(LedgerError) -> Value
    ) async throws(LedgerImportError) -> Value {
        do throws(LedgerError) { return try await body() } catch { throw .ledger(error) }
    }
}

extension FlowRecord {
    /// Returns the record with a new revision, marked for a recheck because the export may be older than the last run.
    fileprivate func imported(as revision: Revision) -> FlowRecord {
        var record = self
        record.revision = revision
        record.contactedAt = nil
        record.comparedAt = nil
        record.needsRecheck = true
        return record
    }
}

extension LedgerError {
    fileprivate static func changedDuringImport(_ flow: FlowID) -> LedgerError {
        .busy("flow \(flow) changed during the import: import again")
    }
}

/// The runs of one flow of a checked export, read a second time.
struct ImportedRuns {
    private let flow: FlowID
    private var lines: ExportLines
    private var remaining: Int

    init(_ flow: LedgerImport.Flow, _ bytes: any ExportBytes) {
        self.flow = flow.record.id
        lines = ExportLines(bytes, from: flow.offset, after: flow.line)
        remaining = flow.runCount
    }

    /// The line number of the last run that was read.
    var line: Int { lines.number }

    /// Returns the next run; `nil` after the last one.
    mutating func next() throws(LedgerImportError) -> LedgerEntry? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let read = try lines.next { [flow] in try? ExportedLine($0.bytes, of: flow) }
        guard case .run(let entry)?? = read, entry.run.flow == flow else {
            throw .unreadable("it changed while it was imported")
        }
        return entry
    }

    /// Returns up to `count` runs; empty after the last one.
    mutating func next(_ count: Int) throws(LedgerImportError) -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        entries.reserveCapacity(min(count, remaining))
        while entries.count < count, let entry = try next() { entries.append(entry) }
        return entries
    }
}

/// A comparison of a flow's runs in an export with those in a ledger. Both are in the order of
/// `RunIdentity`.
struct ImportComparison {
    private(set) var record: FlowRecord
    /// Runs that the ledger lacks.
    private(set) var missing: [LedgerEntry] = []
    private(set) var conflicts: LedgerImportError.Lines
    private var runs: ImportedRuns
    private var head: LedgerEntry?
    private var failure: LedgerImportError?

    /// - Parameter conflicts: those of earlier lines.
    init(_ flow: LedgerImport.Flow, _ bytes: any ExportBytes, after conflicts: LedgerImportError.Lines) {
        record = FlowRecord(id: flow.record.id)
        self.conflicts = conflicts
        runs = ImportedRuns(flow, bytes)
        advance()
    }

    /// Merges the next rows of the ledger.
    ///
    /// - Returns: whether to continue; `false` after a read error.
    mutating func merge(_ part: FlowEntries) -> Bool {
        record = part.record
        for entry in part.entries {
            collectMissing { $0.run.identity < entry.run.identity }
            guard let head, head.run.identity == entry.run.identity else { continue }
            if head != entry {
                conflicts.add(runs.line, "the ledger has another record of this run (\(entry.run.state.rawValue))")
            }
            advance()
        }
        return failure == nil
    }

    mutating func finish() throws(LedgerImportError) {
        collectMissing { _ in true }
        if let failure { throw failure }
    }

    private mutating func collectMissing(while isMissing: (LedgerEntry) -> Bool) {
        while let entry = head, isMissing(entry) {
            missing.append(entry)
            advance()
        }
    }

    private mutating func advance() {
        do throws(LedgerImportError) { head = try runs.next() } catch { (head, failure) = (nil, error) }
    }
}

/// An error that prevented an import. Nothing was recorded.
package enum LedgerImportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An error in a line of the file.
    package struct Line: Hashable, Sendable {
        /// The line number, counted from 1.
        package let line: Int
        /// The error without a full stop.
        package let message: String
    }

    /// The first errors of a file, by line, and the number of all.
    package struct Lines: Hashable, Sendable {
        private static let limit = 20

        package private(set) var first: [Line] = []
        package private(set) var count = 0

        /// The errors in words, one each: `export.jsonl:3: 'state' has an invalid value`.
        ///
        /// - Parameter file: what precedes a line's number, such as `export.jsonl:`.
        package func inWords(file: String) -> [String] {
            let texts = first.map { "\(file)\($0.line): \($0.message)" }
            return count > first.count ? texts + ["… and \(count - first.count) more"] : texts
        }

        mutating func add(_ line: Int, _ message: String) {
            if first.count < Self.limit { first.append(Line(line: line, message: message)) }
            count += 1
        }
    }

    case lines(Lines)
    case ledger(LedgerError)
    /// The export cannot be read, or has changed since it was checked.
    case unreadable(String)

    package var description: String {
        switch self {
        case .lines(let lines): lines.inWords(file: "line ").joined(separator: "\n")
        case .ledger(let error): error.description
        case .unreadable(let reason): reason
        }
    }
}
