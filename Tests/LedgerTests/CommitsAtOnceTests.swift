import FlowRuns
import Ledger
import Testing

/// Concurrent commits of different flows, which a store may group into one transaction.
@Suite("Concurrent commits on one store")
struct CommitsAtOnceTests {
    @Test("each commit succeeds or fails independently of the others", arguments: StoreKind.allCases)
    func refused(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var first = FlowLedger()
        try first.bring(Sample.identity(1), to: .accepted)
        #expect(try await store.commit(first.commit(nonce: "first")) == .done)
        let taken = try #require(first.runs.first?.id)

        let numbers = 2...(place.isSlow ? 7 : 31)
        let results = await withTaskGroup(of: (Int, Result<CommitResult, LedgerError>).self) { group in
            for number in numbers {
                group.addTask { (number, await commit(number, to: store, runOfAnother: taken)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for number in numbers {
            let runs = try await store.snapshot(of: Sample.flow(number)).runs
            switch number % 5 {
            case 0:
                #expect(throws: LedgerError.self, "the run id is another flow's") { try results[number]?.get() }
                #expect(runs.isEmpty)
            case 1:
                #expect(try results[number]?.get() == .conflict)
                #expect(runs.isEmpty)
            default:
                #expect(try results[number]?.get() == .done)
                #expect(runs.map(\.identity) == [Sample.identity(1, of: Sample.flow(number))])
            }
        }
        #expect(try await store.verify().isEmpty)
    }

    private func commit(
        _ number: Int, to store: any LedgerStore, runOfAnother taken: RunID
    ) async -> Result<CommitResult, LedgerError> {
        let flow = Sample.flow(number)
        var ledger = FlowLedger(of: flow)
        let claim = Sample.claim(Sample.identity(1, of: flow), id: "c\(number)")
        do throws(LedgerError) {
            if number % 5 == 1 {
                // Commits on a revision that is not in the store.
                ledger.record(column: DeltaColumn(name: "DOB"))
                ledger.committed(ledger.commit(nonce: "lost"))
            }
            try ledger.claim(claim)
            if number % 5 == 0 {
                try ledger.record(.accepted(taken, response: nil), of: claim, at: Sample.now)
            }
            return .success(try await store.commit(ledger.commit(nonce: "n\(number)")))
        } catch { return .failure(error) }
    }
}
