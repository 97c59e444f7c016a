import FlowRuns

/// What a copy of a ledger into another store came to.
package struct LedgerCopy: Hashable, Sendable {
    package fileprivate(set) var flows = 0
    package fileprivate(set) var runs = 0
}

/// Why a ledger was not copied.
package enum LedgerCopyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The other ledger holds something else: it is left as it is.
    case notEmpty(FlowID)
    /// Somebody used this ledger while it was copied, or the other one.
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

extension LedgerStore {
    /// Copies the whole ledger into another store, with its revisions: the exports of both are the same to the byte.
    ///
    /// Flow by flow, each wholly or not at all; one flow is in memory at a time. What the other ledger has already, as
    /// an interrupted copy leaves it, stays as it is. Each flow is read back and compared.
    ///
    /// - Parameter report: is told how many flows of how many are copied.
    package func copy(
        to other: any LedgerStore, report: @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws(LedgerCopyError) -> LedgerCopy {
        let records = try await records(copiedTo: other)
        var copy = LedgerCopy()
        for record in records {
            let source = try await read { () async throws(LedgerError) in try await entries(of: record.id) }
            let before = try await read { () async throws(LedgerError) in try await other.entries(of: record.id) }
            guard source.record == record else { throw .changed(record.id) }
            if before != source {
                guard before.record.revision.number == 0 else { throw .notEmpty(record.id) }
                let commit = FlowCommit(
                    expecting: before.record.revision, record: record, changes: source.entries.map(LedgerChange.insert))
                let result = try await read { () async throws(LedgerError) in try await other.commit(commit) }
                let after = try await read { () async throws(LedgerError) in try await other.entries(of: record.id) }
                guard result == .done, after == source else { throw .changed(record.id) }
            }
            copy.flows += 1
            copy.runs += source.entries.count
            report(copy.flows, records.count)
        }
        let now = try await read { () async throws(LedgerError) in try await flows() }
        guard now == records else { throw .changed(Set(now).symmetricDifference(records).map(\.id).min() ?? now[0].id) }
        return copy
    }

    /// The records to copy, where the other ledger holds nothing but some of them.
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
