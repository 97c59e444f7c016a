import FlowRuns
import Ledger
import Testing

@Suite("Copies of a ledger")
struct CopyTests {
    /// From each store to SQLite, and from SQLite to each: equal exports make every other pair equal, too.
    static let pairs: [(StoreKind, StoreKind)] =
        StoreKind.allCases.map { ($0, .sqlite) } + StoreKind.allCases.map { (.sqlite, $0) }

    /// Adds two flows with runs of every state, one of them with an open claim.
    private func fill(_ store: any LedgerStore) async throws {
        for number in 1...2 {
            var ledger = FlowLedger(of: Sample.flow(number))
            ledger.record(column: DeltaColumn(name: "É\"\\{,}\t", dateFormat: "", timezone: "NULL"))
            for (index, state) in RunState.allCases.enumerated() where !state.isDoubtful {
                try ledger.bring(Sample.identity(Int64(index), of: ledger.id), to: state)
            }
            if number == 1 { try ledger.claim(Sample.claim(Sample.identity(99))) }
            #expect(try await store.commit(ledger.commit(nonce: "n\(number)")) == .done)
        }
    }

    @Test("a copy between any two stores has the same export, byte for byte", arguments: pairs)
    func sameExport(from: StoreKind, to: StoreKind) async throws {
        let (place, otherPlace) = (try await from.make(), try await to.make())
        let (store, other) = (try await place.open(), try await otherPlace.open())
        try await fill(store)
        let copy = try await store.copy(to: other)
        #expect([copy.flows, copy.runs] == [2, 13])
        #expect(try await other.exported() == store.exported())
        #expect(try await store.copy(to: other) == copy, "a second time there is nothing left to do")
        #expect(try await other.verify().isEmpty)
    }

    @Test("a copy continues after an interruption")
    func interrupted() async throws {
        let (store, other) = (InMemoryStore(), InMemoryStore())
        try await fill(store)
        let first = try await store.entries(of: Sample.flow(1))
        _ = try other.commit(
            FlowCommit(expecting: Revision(), record: first.record, changes: first.entries.map(LedgerChange.insert)))
        _ = try await store.copy(to: other)
        #expect(try await other.exported() == store.exported())
    }

    @Test("a copy into a ledger with other content fails and changes nothing")
    func notEmpty() async throws {
        let (store, other) = (InMemoryStore(), InMemoryStore())
        try await fill(store)
        var stranger = FlowLedger(of: Sample.flow(2))
        stranger.record(column: DeltaColumn(name: "A"))
        _ = try other.commit(stranger.commit(nonce: "other"))
        let before = try await other.exported()
        await #expect(throws: LedgerCopyError.notEmpty(Sample.flow(2))) { try await store.copy(to: other) }
        #expect(try await other.exported() == before)
    }

    @Test("a copy fails if the ledger changes meanwhile")
    func changed() async throws {
        let contents = InMemoryContents()
        let (store, other) = (InMemoryStore(contents), InMemoryStore())
        try await fill(store)
        await #expect(throws: LedgerCopyError.changed(Sample.flow(1))) {
            try await store.copy(to: other) { copied, _ in
                var ledger = FlowLedger(contents.snapshotForTest(Sample.flow(1)))
                ledger.record(column: DeltaColumn(name: "changed \(copied)"))
                _ = try? InMemoryStore(contents).commit(ledger.commit(nonce: "late \(copied)"))
            }
        }
    }
}

extension InMemoryContents {
    fileprivate func snapshotForTest(_ flow: FlowID) -> FlowSnapshot {
        (try? InMemoryStore(self).snapshot(of: flow)) ?? FlowSnapshot(record: FlowRecord(id: flow), runs: [])
    }
}
