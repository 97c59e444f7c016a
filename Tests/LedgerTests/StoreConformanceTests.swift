import FlowRuns
import Ledger
import Synchronization
import Testing

/// The contract of all stores, tested against the real backends.
@Suite("Every store")
struct StoreConformanceTests {
    @Test("a new store is empty", arguments: StoreKind.allCases)
    func empty(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        #expect(
            try await store.snapshot(of: Sample.flow) == FlowSnapshot(record: FlowRecord(id: Sample.flow), runs: []))
        #expect(try await store.flows().isEmpty)
        #expect(try await store.verify().isEmpty)
    }

    @Test("a commit is complete and visible to everyone who opens the ledger", arguments: StoreKind.allCases)
    func keeps(kind: StoreKind) async throws {
        let place = try await kind.make()
        var ledger = FlowLedger()
        let claim = Sample.claim(
            Sample.identity(1, rerun: "fix-418"), column: DeltaColumn(name: "DOB", dateFormat: "yyyy", timezone: "UTC"))
        try ledger.claim(claim)
        ledger.record(column: DeltaColumn(name: "DOB"))
        let commit = ledger.commit(nonce: "n1")
        #expect(try await place.open().commit(commit) == .done)

        let store = try await place.open()
        let snapshot = try await store.snapshot(of: Sample.flow)
        #expect(snapshot.record == commit.record)
        #expect(snapshot.record.revision == Revision(number: 1, token: "n1"))
        #expect(snapshot.runs == ledger.runs)
        let entry = try #require(try await store.entries(of: Sample.flow).entries.first)
        #expect(entry.request == claim.request)
        #expect(entry.provenance == claim.provenance)
        #expect(try await store.flows() == [commit.record])
        #expect(try await store.verify().isEmpty)
    }

    @Test("a commit succeeds only on the revision that it expects", arguments: StoreKind.allCases)
    func compareAndSwap(kind: StoreKind) async throws {
        let place = try await kind.make()
        let (store, rival) = (try await place.open(), try await place.open())
        var (mine, theirs) = (FlowLedger(), FlowLedger())
        try mine.claim(Sample.claim(Sample.identity(1), id: "mine"))
        try theirs.claim(Sample.claim(Sample.identity(2), id: "theirs"))
        #expect(try await store.commit(mine.commit(nonce: "a")) == .done)
        #expect(try await rival.commit(theirs.commit(nonce: "b")) == .conflict)
        #expect(try await rival.snapshot(of: Sample.flow).runs.map(\.identity) == [Sample.identity(1)])
    }

    @Test("committing the same change again has no effect", arguments: StoreKind.allCases)
    func idempotent(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var ledger = FlowLedger()
        try ledger.claim(Sample.claim(Sample.identity(1)))
        let commit = ledger.commit(nonce: "a")
        #expect(try await store.commit(commit) == .done)
        #expect(try await store.commit(commit) == .done)
        #expect(try await store.snapshot(of: Sample.flow).runs.count == 1)
        ledger.committed(commit)
        ledger.record(column: DeltaColumn(name: "DOB"))
        #expect(try await store.commit(ledger.commit(nonce: "b")) == .done)
        #expect(try await store.commit(commit) == .conflict, "another commit has come in between")
    }

    @Test("a late commit is not applied to a restored ledger", arguments: StoreKind.allCases)
    func tokens(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var (first, second) = (FlowLedger(), FlowLedger())
        first.record(column: DeltaColumn(name: "A"))
        let commit = first.commit(nonce: "a")
        first.committed(commit)
        try first.claim(Sample.claim(Sample.identity(1)))
        let late = first.commit(nonce: "late")
        // The other ledger has the same revision number, but from another commit.
        second.record(column: DeltaColumn(name: "A"))
        #expect(try await store.commit(second.commit(nonce: "b")) == .done)
        #expect(try await store.commit(late) == .conflict)
    }

    @Test("a refused commit leaves no changes", arguments: StoreKind.allCases)
    func allOrNothing(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var ledger = FlowLedger()
        try ledger.bring(Sample.identity(1), to: .accepted)
        let first = ledger.commit(nonce: "a")
        #expect(try await store.commit(first) == .done)
        var other = FlowLedger(of: Sample.flow(2))
        try other.bring(Sample.identity(1, of: Sample.flow(2)), to: .rejected)
        let taken = try #require(ledger.runs.first?.id)
        let claim = Sample.claim(Sample.identity(2, of: Sample.flow(2)), id: "c9")
        try other.claim(claim)
        try other.record(.accepted(taken, response: nil), of: claim, at: Sample.now)
        await #expect(throws: LedgerError.self, "the run id is another flow's") {
            try await store.commit(other.commit(nonce: "b"))
        }
        #expect(try await store.flows() == [first.record])
        #expect(try await store.entries(of: Sample.flow(2)).entries.isEmpty)
    }

    @Test(
        "a flow with many runs is added in one commit and read in chunks", arguments: StoreKind.allCases)
    func many(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let rows = place.isSlow ? 50 : 2_500
        @Sendable func entry(_ number: Int) -> LedgerEntry {
            LedgerEntry(
                run: RecordedRun(
                    identity: Sample.identity(Int64(number)), state: .succeeded, id: Sample.run("r\(number)"),
                    recordedAt: Sample.now),
                request: "POST /runs {}", updatedAt: Sample.now)
        }
        let record = FlowRecord(id: Sample.flow, revision: Revision(number: 9, token: "a"))
        let new = NewFlow(record: record, expecting: Revision()) {
            var next = 0
            return { () throws(LedgerError) in
                defer { next += 700 }
                return (next..<max(next, min(next + 700, rows))).map(entry)
            }
        }
        try await store.add([new])
        try await store.add([new])
        let read = Mutex<[LedgerEntry]>([])
        try await store.scan(Sample.flow) { part in
            read.withLock { $0 += part.entries }
            return part.record == record
        }
        #expect(read.withLock { $0 } == (0..<rows).map(entry))
        try await store.scan(Sample.flow) { part in
            read.withLock { $0 += part.entries }
            return part.entries.isEmpty
        }
        if [.sqlite, .postgres, .pgbouncer].contains(kind) {
            #expect(read.withLock { $0.count } < 2 * rows, "a reader that has enough is not given more")
        }
        let runs = Mutex<[RecordedRun]>([])
        try await store.scanRuns(Sample.flow) { part in
            runs.withLock { $0 += part.runs }
            return part.record == record
        }
        #expect(runs.withLock { $0 } == (0..<rows).map { entry($0).run })
        let other = FlowRecord(id: Sample.flow, revision: Revision(number: 10, token: "b"))
        await #expect(throws: new.changed) {
            try await store.add([NewFlow(record: other, expecting: Revision()) { { () throws(LedgerError) in [] } }])
        }
    }

    @Test("a flow whose runs cannot be read completely is not added", arguments: StoreKind.allCases)
    func interrupted(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let record = FlowRecord(id: Sample.flow, revision: Revision(number: 9, token: "a"))
        let entry = LedgerEntry(
            run: RecordedRun(identity: Sample.identity(1), state: .rejected, recordedAt: Sample.now),
            updatedAt: Sample.now)
        await #expect(throws: LedgerError.self) {
            let new = NewFlow(record: record, expecting: Revision()) {
                var calls = 0
                return { () throws(LedgerError) in
                    calls += 1
                    if calls > 1 { throw .corrupt("no more") }
                    return [entry]
                }
            }
            try await store.add([new])
        }
        #expect(try await store.flows().isEmpty)
    }

    @Test("the store itself enforces one open claim and one active request per window", arguments: StoreKind.allCases)
    func enforced(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        func entry(_ identity: RunIdentity, _ claim: String) -> LedgerEntry {
            LedgerEntry(
                run: RecordedRun(
                    identity: identity, state: .intended, recordedAt: Sample.now,
                    claim: RunClaim(id: ClaimID(claim)!, owner: "o", time: nil)),
                request: "POST /runs {}", updatedAt: Sample.now)
        }
        func commit(_ entries: [LedgerEntry]) -> FlowCommit {
            FlowCommit(
                expecting: Revision(), record: FlowRecord(id: Sample.flow, revision: Revision(number: 1, token: "x")),
                changes: entries.map(LedgerChange.insert))
        }
        await #expect(throws: LedgerError.self, "two claims") {
            try await store.commit(commit([entry(Sample.identity(1), "a"), entry(Sample.identity(2), "b")]))
        }
        await #expect(throws: LedgerError.self, "one window twice") {
            try await store.commit(
                commit([entry(Sample.identity(1), "a"), entry(Sample.identity(1, attempt: 2), "a")]))
        }
        #expect(try await store.flows().isEmpty)
        let several = [entry(Sample.identity(1), "a"), entry(Sample.identity(2), "a")]
        #expect(try await store.commit(commit(several)) == .done, "one claim of two requests")
    }

    @Test(
        "planning reads the record count of a run, and a retry of an empty run is stored",
        arguments: StoreKind.allCases)
    func retried(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var ledger = FlowLedger()
        let ends: [(window: Int64, counts: RunCounts)] = [
            (1, RunCounts(inputRecords: 9, outputRecords: 0)), (2, RunCounts(inputRecords: 7)), (3, RunCounts()),
        ]
        for (window, counts) in ends {
            let claim = Sample.claim(Sample.identity(window), id: "c\(window)")
            try ledger.claim(claim)
            try ledger.record(.accepted(Sample.run("r\(window)"), response: nil), of: claim, at: Sample.now)
            let ended = ObservedRun(
                id: Sample.run("r\(window)"), window: Sample.window(window), createdAt: Sample.now, status: "success",
                end: RunEnd(state: .succeeded), counts: counts)
            _ = try ledger.observe(
                Sample.listing([ended], after: .seconds(1)),
                settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle), at: Sample.now)
        }
        let first = ledger.commit(nonce: "a")
        #expect(try await store.commit(first) == .done)
        let kept = try await store.snapshot(of: Sample.flow)
        #expect(kept.runs.map(\.records) == [0, 7, nil])
        #expect(kept.runs == ledger.runs)
        #expect(try await store.entries(of: Sample.flow).entries.map(\.run.records) == [0, 7, nil])
        var again = FlowLedger(kept)
        try again.claim(Sample.claim(Sample.identity(1, attempt: 2), id: "again", isRetry: true))
        #expect(try await store.commit(again.commit(nonce: "b")) == .done)
        #expect(try await store.verify().isEmpty)
    }

    @Test("exactly one of several competing processes makes each claim", arguments: StoreKind.allCases)
    func rivals(kind: StoreKind) async throws {
        let place = try await kind.make()
        let windows: Int64 = place.isSlow ? 4 : 20
        let wins = try await withThrowingTaskGroup(of: Int.self) { group in
            for rival in 0..<(place.isSlow ? 3 : 6) {
                let store = try await place.open()
                group.addTask {
                    var won = 0
                    while true {
                        var ledger = FlowLedger(try await store.snapshot(of: Sample.flow))
                        guard let next = (0..<windows).first(where: { ledger.run(Sample.identity($0)) == nil }) else {
                            return won
                        }
                        let claim = Sample.claim(Sample.identity(next), id: "c\(rival)-\(next)")
                        try ledger.claim(claim)
                        try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: Sample.now)
                        if try await store.commit(ledger.commit(nonce: "\(rival)-\(next)")) == .done { won += 1 }
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wins == windows)
        #expect(try await place.open().snapshot(of: Sample.flow).record.revision.number == Int(windows))
    }

    @Test("runs are sorted by window, rerun and attempt, with unknown windows first", arguments: StoreKind.allCases)
    func order(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        let identities = [
            Sample.identity(-3), Sample.identity(2), Sample.identity(2, attempt: 2), Sample.identity(2, rerun: "Z"),
            Sample.identity(2, rerun: "a"), Sample.identity(2, rerun: "e\u{301}"), Sample.identity(2, rerun: "z"),
            Sample.identity(2, rerun: "é"), Sample.identity(10),
        ]
        var ledger = FlowLedger()
        for index in [5, 8, 3, 0, 7, 4, 1, 2, 6] { try ledger.bring(identities[index], to: .rejected) }
        _ = try ledger.observe(
            Sample.listing([Sample.observed("x", nil)], after: .seconds(20)),
            settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle), at: Sample.now)
        #expect(try await store.commit(ledger.commit(nonce: "n")) == .done)
        let unknown = RunIdentity(flow: Sample.flow, window: nil)
        #expect(ledger.runs.map(\.identity) == [unknown] + identities)
        #expect(try await store.snapshot(of: Sample.flow).runs == ledger.runs)
        #expect(try await store.entries(of: Sample.flow).entries.map(\.run) == ledger.runs)
    }

    @Test("every state transition is stored, commit by commit", arguments: StoreKind.allCases)
    func arrows(kind: StoreKind) async throws {
        let place = try await kind.make()
        let store = try await place.open()
        var ledger = FlowLedger()
        for (number, state) in RunState.allCases.enumerated() where !state.isDoubtful {
            try ledger.bring(Sample.identity(Int64(number)), to: state)
            let commit = ledger.commit(nonce: "n\(number)")
            #expect(try await store.commit(commit) == .done)
            ledger.committed(commit)
        }
        #expect(try await store.snapshot(of: Sample.flow).runs == ledger.runs)
        #expect(try await store.verify().isEmpty)
    }
}
