import FlowRuns
import Synchronization

/// An exported ledger that was read and checked, ready to be put into a ledger. It is read again for that, so that only a
/// part of it is in memory.
///
/// ```swift
/// let backup = try LedgerImport(bytes, targets: target.identities)
/// try await backup.restore(into: ledger, nonce: { UUID().uuidString })
/// ```
package struct LedgerImport: Sendable {
    /// A flow of the export, and where its runs are.
    struct Flow: Sendable {
        let record: FlowRecord
        let line: Int
        /// Where the line of its first run begins.
        let offset: Int
        var runCount = 0
    }

    /// In the order of the file.
    private let flows: [Flow]
    private let bytes: any ExportBytes

    package var flowCount: Int { flows.count }
    package var runCount: Int { flows.reduce(0) { $0 + $1.runCount } }

    /// Reads every line and collects all that is wrong.
    ///
    /// - Parameter targets: the identities that the target has or had; it must be an export of one of them.
    /// - Throws: ``LedgerImportError/lines(_:)``, ``LedgerImportError/unreadable(_:)``.
    package init(_ bytes: some ExportBytes, targets: [String]) throws(LedgerImportError) {
        var lines = ExportLines(bytes)
        var check = ExportCheck(targets: targets)
        while !check.isHopeless, try lines.next({ check.read($0) }) != nil {}
        check.finish()
        guard check.errors.isEmpty else { throw .lines(check.errors) }
        flows = check.flows
        self.bytes = bytes
    }

    /// Puts everything into the ledger, flow by flow, each wholly or not at all; nothing where anything disagrees. What
    /// the ledger has already is left as it is, so doing it twice is doing it once.
    ///
    /// The flows count as never compared with the service: an export may be older than the last run. So the next apply
    /// waits until that must be listed, and compares them first.
    ///
    /// - Throws: ``LedgerImportError/lines(_:)`` where the ledger disagrees; ``LedgerImportError/ledger(_:)``;
    ///   ``LedgerImportError/unreadable(_:)``.
    package func restore(
        into store: some LedgerStore, nonce: () -> String
    ) async throws(LedgerImportError) {
        var conflicts: [LedgerImportError.Line] = []
        var known: [FlowID: FlowRecord] = [:]
        for flow in flows {
            let record = try await ledger { () async throws(LedgerError) in try await store.record(of: flow.record.id) }
            known[record.id] = record
            if record.revision.number > 0 { conflicts += try await self.conflicts(of: flow, with: store) }
        }
        guard conflicts.isEmpty else { throw .lines(conflicts.sorted { $0.line < $1.line }) }
        for group in groups(of: flows.filter { known[$0.record.id]?.revision.number == 0 }) {
            try await add(group, to: store, known, nonce: nonce)
        }
        for flow in flows where known[flow.record.id]?.revision.number != 0 {
            try await complete(flow, in: store, nonce: nonce())
        }
    }
}

extension LedgerImport {
    /// Runs that are handed over at once.
    private static let partSize = 1_000
    private static let groupSize = 100_000

    private func conflicts(
        of flow: Flow, with store: some LedgerStore
    ) async throws(LedgerImportError) -> [LedgerImportError.Line] {
        let comparison = try await comparison(of: flow, with: store)
        let (number, column) = (comparison.record.revision.number, comparison.record.deltaColumn)
        guard number == flow.record.revision.number, column == flow.record.deltaColumn else {
            return [LedgerImportError.Line(line: flow.line, "the ledger has this flow at revision \(number)")]
                + comparison.conflicts
        }
        return comparison.conflicts
    }

    private func comparison(
        of flow: Flow, with store: some LedgerStore
    ) async throws(LedgerImportError) -> ImportComparison {
        let comparison = Mutex(ImportComparison(flow, bytes))
        try await ledger { () async throws(LedgerError) in
            try await store.scan(flow.record.id) { part in comparison.withLock { $0.take(part) } }
        }
        return try comparison.withLock { (comparison) throws(LedgerImportError) in
            try comparison.finish()
            return comparison
        }
    }

    /// Flows of few runs are added together: a transaction each would take longer than their rows.
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

    /// Flows that the ledger does not know.
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

    /// A flow of which the ledger may lack runs.
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
    /// Of an export that may be older than the last run: the flow is compared with the service first.
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
