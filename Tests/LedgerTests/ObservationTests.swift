import FlowRuns
import Ledger
import Testing

@Suite("What the service says, in every store")
struct ObservationTests {
    @Test(
        "first contact is recorded, also where there is nothing to see", arguments: StoreKind.allCases)
    func firstContact(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.observe(Sample.observation([]))
        let record = FlowRecord(id: Sample.flow, revision: 1, contactedAt: Sample.now)
        #expect(try await ledger.record(of: Sample.flow) == record)
    }

    @Test(
        "seeing the same again changes nothing that a plan was made from", arguments: StoreKind.allCases
    )
    func sameAgain(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let column = DeltaColumn(name: "DOB")
        let runs = [Sample.observed("a", 1), Sample.observed("b", nil)]
        try await ledger.observe(Sample.observation(runs, column: column))
        let entries = try await ledger.entries(of: nil)
        try await ledger.observe(
            Sample.observation(runs.reversed(), column: column, at: Sample.now + .milliseconds(9)))
        try await ledger.observe(Sample.observation([], at: Sample.now + .milliseconds(5)))
        #expect(try await ledger.entries(of: nil) == entries)
        let record = FlowRecord(
            id: Sample.flow, revision: 1, contactedAt: Sample.now + .milliseconds(9), deltaColumn: column)
        #expect(try await ledger.record(of: Sample.flow) == record)
    }

    @Test(
        "a new word or new counts are kept without making plans stale", arguments: StoreKind.allCases)
    func counts(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let before = Sample.observed("a", 1, counts: RunCounts(inputRecords: 10, inputFiles: 1))
        let after = Sample.observed("a", 1, status: "finishing", counts: RunCounts(inputRecords: 20))
        try await ledger.observe(Sample.observation([before]))
        try await ledger.observe(Sample.observation([after], at: Sample.now + .milliseconds(1)))
        let entry = try #require(try await ledger.entries(of: nil).first)
        #expect(entry.status == "finishing")
        #expect(entry.counts == RunCounts(inputRecords: 20, inputFiles: 1))
        #expect(entry.updatedAt == Sample.now + .milliseconds(1))
        #expect(try await ledger.record(of: Sample.flow).revision == 1)
    }

    @Test(
        "a window that somebody ran twice has attempts 1 and 2, in the order of their making",
        arguments: StoreKind.allCases)
    func attempts(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.observe(
            Sample.observation([
                Sample.observed("later", 1, createdAt: Sample.now),
                Sample.observed("x", nil, createdAt: Timestamp(milliseconds: 2)),
                Sample.observed("earlier", 1, createdAt: Timestamp(milliseconds: 5)),
                Sample.observed("y", nil, createdAt: Timestamp(milliseconds: 1)),
            ]))
        let runs = try await ledger.runs(of: Sample.flow)
        #expect(runs.map(\.id) == ["y", "x", "earlier", "later"].map(Sample.run))
        #expect(runs.map(\.identity.attempt) == [1, 2, 1, 2])
        #expect(
            runs.map(\.recordedAt) == [
                Timestamp(milliseconds: 1), Timestamp(milliseconds: 2), Timestamp(milliseconds: 5), Sample.now,
            ])
        #expect(runs.allSatisfy { $0.origin == .service && $0.state == .accepted })
        #expect(try await ledger.claim(Sample.claim(Sample.identity(1))) == .accepted)
    }

    @Test("a window that becomes known is recorded, and stays", arguments: StoreKind.allCases)
    func windowBecomesKnown(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.observe(
            Sample.observation([Sample.observed("a", nil), Sample.observed("b", 1)]))
        try await ledger.observe(Sample.observation([Sample.observed("a", 1)]))
        #expect(try await ledger.runs(of: Sample.flow).map(\.identity.attempt) == [1, 2])
        try await ledger.observe(
            Sample.observation([Sample.observed("a", nil), Sample.observed("b", 2)]))
        #expect(
            try await ledger.runs(of: Sample.flow).map(\.window) == [Sample.window(1), Sample.window(1)])
        #expect(try await ledger.record(of: Sample.flow).revision == 2)
        #expect(try await ledger.verify(now: Sample.now).isEmpty)
    }

    @Test("a run of ours that ended is moved to its end, once", arguments: StoreKind.allCases)
    func ends(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.bring(Sample.identity(1), to: .accepted)
        let run = try #require(try await ledger.runs(of: Sample.flow).first?.id?.description)
        let failed = Sample.observed(
            run, 1, status: "failed", end: RunEnd(state: .failed, failure: "why"))
        try await ledger.observe(Sample.observation([failed]))
        let ended = try #require(try await ledger.runs(of: Sample.flow).first)
        #expect(ended.state == .failed)
        #expect(ended.failure == "why")
        #expect(ended.origin == .request)
        let revision = try await ledger.record(of: Sample.flow).revision
        let changed = Sample.observed(run, 1, status: "success", end: RunEnd(state: .succeeded))
        try await ledger.observe(Sample.observation([failed, changed]))
        #expect(try await ledger.runs(of: Sample.flow) == [ended])
        #expect(try await ledger.record(of: Sample.flow).revision == revision)
    }

    @Test(
        "the flow's own column is kept, and a later silence does not forget it",
        arguments: StoreKind.allCases)
    func column(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.observe(Sample.observation([], column: DeltaColumn(name: "A")))
        try await ledger.observe(
            Sample.observation([], column: DeltaColumn(name: "B", timezone: "UTC")))
        try await ledger.observe(Sample.observation([]))
        let record = try await ledger.record(of: Sample.flow)
        #expect(record.deltaColumn == DeltaColumn(name: "B", timezone: "UTC"))
        #expect(record.revision == 2)
    }

    @Test("a run id that another flow has is left there", arguments: StoreKind.allCases)
    func otherFlow(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.observe(Sample.observation([Sample.observed("a", 1)]))
        try await ledger.observe(Sample.observation([Sample.observed("a", 2)], of: Sample.flow(2)))
        #expect(try await ledger.entries(of: nil).map(\.run.identity) == [Sample.identity(1)])
    }

    @Test("thousands of runs are taken in one go", arguments: StoreKind.allCases)
    func many(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let runs = (0..<3000).map {
            Sample.observed("run \($0)", Int64($0) * 7 % 3000, createdAt: Timestamp(milliseconds: Int64($0)))
        }
        try await ledger.observe(Sample.observation(runs))
        let recorded = try await ledger.runs(of: Sample.flow)
        #expect(recorded.map(\.window) == (0..<3000).map { Sample.window($0) })
        #expect(recorded[7].id == Sample.run("run 1"))
    }
}
