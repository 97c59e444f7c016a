import FlowRuns

/// The result of copying a ledger into another store.
package struct LedgerCopy: Hashable, Sendable {
    package fileprivate(set) var flows = 0
    package fileprivate(set) var runs = 0
}

/// An error that prevented copying a ledger.
package enum LedgerCopyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The destination contains other records. It was not changed.
    case notEmpty(FlowID)
    /// One of the ledgers changed during the copy.
    case changed(FlowID)
    case ledger(LedgerError)

    package var description: String {
        switch self {
        case .notEmpty(let flow):
            "the other ledger is not empty, and holds something else of flow \(flow): copy into an empty one"
        case .changed(let flow):
            "flow \(flow) changed while the ledger was copied: stop every apply and refresh, and copy into an empty one"
        case .ledger(let error): error.description
        }
    }
}

/// The number of rows that are copied at once, if a single flow has no more.
private let maxRowsPerGroup = 20_000

extension LedgerStore {
    /// Copies the whole ledger into another store, with its revisions, so that the exports of both are identical.
    ///
    /// Each flow is copied completely or not at all. Flows are copied in groups, and only one group is in memory at a
    /// time. Existing flows that are equal, for instance from an interrupted copy, are skipped. Each copied flow is read
    /// back and compared.
    ///
    /// - Parameters:
    ///   - other: the destination.
    ///   - report: receives the number of copied flows and the total.
    /// - Throws: ``LedgerCopyError`` when the destination contains other records, a ledger changes during the copy, or
    ///   a ledger fails.
    package func copy(
        to other: any LedgerStore, report: @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws(LedgerCopyError) -> LedgerCopy {
        let records = try await records(copiedTo: other)
        var copy = LedgerCopy()
        var group: [FlowEntries] = []
        var rows = 0
        for (number, record) in records.enumerated() {
            let source = try await read { () async throws(LedgerError) in try await entries(of: record.id) }
            let before = try await read { () async throws(LedgerError) in try await other.entries(of: record.id) }
            guard source.record == record else { throw .changed(record.id) }
            if before != source {
                guard before.record.revision.number == 0 else { throw .notEmpty(record.id) }
                group.append(source)
                rows += source.entries.count
            }
            copy.flows += 1
            copy.runs += source.entries.count
            guard rows >= maxRowsPerGroup || number == records.count - 1 else { continue }
            try await Self.add(group, to: other)
            (group, rows) = ([], 0)
            report(copy.flows, records.count)
        }
        let now = try await read { () async throws(LedgerError) in try await flows() }
        guard now == records else { throw .changed(Set(now).symmetricDifference(records).map(\.id).min() ?? now[0].id) }
        return copy
    }

    private static func add(_ flows: [FlowEntries], to other: any LedgerStore) async throws(LedgerCopyError) {
        let new = flows.map { flow in
            NewFlow(record: flow.record, expecting: Revision()) {
                var rest = flow.entries
                return { () throws(LedgerError) in
                    defer { rest = [] }
                    return rest
                }
            }
        }
        do throws(LedgerError) {
            try await other.add(new)
            for flow in flows where try await other.entries(of: flow.record.id) != flow {
                throw NewFlow.changed(flow.record.id)
            }
        } catch {
            if let changed = new.first(where: { $0.changed == error }) { throw .changed(changed.record.id) }
            throw .ledger(error)
        }
    }

    /// Returns the records to copy, after checking that the destination contains only some of them.
    private func records(copiedTo other: any LedgerStore) async throws(LedgerCopyError) -> [FlowRecord] {
        let records = try await read { () async throws(LedgerError) in try await flows() }
        let present = try await read { () async throws(LedgerError) in try await other.flows() }
        if let stranger = Set(present).subtracting(records).map(\.id).min() { throw .notEmpty(stranger) }
        return records
    }

    private func read<Value>(
        _ body: () async throws(LedgerError) -> Value
    ) async throws(LedgerCopyError) -> Value {
        do throws(LedgerError) { return try await body() } catch { throw .ledger(error) }
    }
}
