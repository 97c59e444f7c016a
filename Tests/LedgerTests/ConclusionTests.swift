import FlowRuns
import Ledger
import Testing

@Suite("What becomes of a request, in every store")
struct ConclusionTests {
    @Test("a run moves along the arrows and no other way", arguments: StoreKind.allCases)
    func arrows(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        var window: Int64 = 0
        for from in RunState.allCases {
            for to in RunState.allCases where to != .intended {
                window += 1
                let identity = Sample.identity(window)
                try await ledger.bring(identity, to: from)
                let conclusion: Conclusion =
                    switch to {
                    case .accepted: .accepted(Sample.run("late \(window)"), response: nil)
                    case .rejected: .rejected(reason: "no", response: nil)
                    case .released: .released(reason: "absent")
                    case .inDoubt: .inDoubt(reason: "lost", response: nil)
                    default: .ended(RunEnd(state: to))
                    }
                if from.canBecome(to) {
                    try await ledger.conclude(identity, conclusion, at: Sample.now)
                    #expect(try await ledger.runs(of: Sample.flow).last?.state == to)
                } else {
                    await #expect(throws: LedgerError.illegalMove(identity, from: from, to: to)) {
                        try await ledger.conclude(identity, conclusion, at: Sample.now)
                    }
                    #expect(try await ledger.runs(of: Sample.flow).last?.state == from)
                }
            }
        }
        #expect(try await ledger.verify(now: Sample.now).isEmpty)
    }

    @Test("what was never claimed cannot be concluded", arguments: StoreKind.allCases)
    func unknown(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        await #expect(throws: LedgerError.illegalMove(Sample.identity(1), from: nil, to: .released)) {
            try await ledger.conclude(Sample.identity(1), .released(reason: "absent"), at: Sample.now)
        }
        #expect(try await ledger.flows().isEmpty)
    }

    @Test("an end cannot be used to go around an acceptance", arguments: StoreKind.allCases)
    func endOfNothing(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let identity = Sample.identity(1)
        try await ledger.bring(identity, to: .intended)
        await #expect(throws: LedgerError.illegalMove(identity, from: .intended, to: .accepted)) {
            try await ledger.conclude(identity, .ended(RunEnd(state: .accepted)), at: Sample.now)
        }
    }

    @Test("each conclusion keeps its reason and the answer", arguments: StoreKind.allCases)
    func reasons(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let identity = Sample.identity(1)
        try await ledger.bring(identity, to: .intended)
        try await ledger.conclude(
            identity, .inDoubt(reason: "lost", response: "500"), at: Sample.now + .milliseconds(1))
        var entry = try #require(try await ledger.entries(of: [Sample.flow]).first)
        #expect(entry.run.failure == "lost")
        #expect(entry.response == "500")
        #expect(entry.run.recordedAt == Sample.now)
        #expect(entry.updatedAt == Sample.now + .milliseconds(1))
        try await ledger.conclude(
            identity, .accepted(Sample.run("a"), response: nil), at: Sample.now + .milliseconds(2))
        entry = try #require(try await ledger.entries(of: [Sample.flow]).first)
        #expect(entry.run.failure == nil)
        #expect(entry.response == "500")
        #expect(entry.run.id == Sample.run("a"))
        let end = RunEnd(state: .failed, failure: "CONNECTOR-2001-500")
        try await ledger.conclude(identity, .ended(end), at: Sample.now + .milliseconds(3))
        #expect(try await ledger.runs(of: Sample.flow).first?.failure == "CONNECTOR-2001-500")
        #expect(try await ledger.record(of: Sample.flow).revision == 4)
    }

    @Test(
        "an answer slower than somebody's refresh takes over the row of the refresh",
        arguments: StoreKind.allCases)
    func slowAnswer(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let identity = Sample.identity(1)
        try await ledger.bring(identity, to: .intended)
        let end = RunEnd(state: .partial, failure: "one record")
        let seen = Sample.observed(
            "a", 1, status: "success", end: end, counts: RunCounts(inputRecords: 100))
        try await ledger.observe(Sample.observation([seen, Sample.observed("b", nil)]))
        #expect(try await ledger.runs(of: Sample.flow).count == 3)
        try await ledger.conclude(identity, .accepted(Sample.run("a"), response: "{}"), at: Sample.now)
        let entries = try await ledger.entries(of: [Sample.flow])
        #expect(entries.map(\.run.id) == [Sample.run("b"), Sample.run("a")])
        #expect(entries.last?.run.origin == .request)
        #expect(entries.last?.run.state == .partial)
        #expect(entries.last?.run.failure == "one record")
        #expect(entries.last?.counts == RunCounts(inputRecords: 100))
        #expect(entries.last?.request == "POST /runs {}")
        #expect(try await ledger.verify(now: Sample.now).isEmpty)
    }

    @Test("a run id belongs to one request", arguments: StoreKind.allCases)
    func runIDTaken(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        try await ledger.bring(Sample.identity(1), to: .accepted)
        let taken = try #require(try await ledger.runs(of: Sample.flow).first?.id)
        for identity in [Sample.identity(2), Sample.identity(1, of: Sample.flow(2))] {
            try await ledger.bring(identity, to: .intended)
            await #expect(throws: LedgerError.illegalMove(identity, from: .intended, to: .accepted)) {
                try await ledger.conclude(identity, .accepted(taken, response: nil), at: Sample.now)
            }
        }
        #expect(
            try await ledger.entries(of: nil).map(\.run.state) == [.accepted, .intended, .intended])
    }

    @Test(
        "runs come by window, rerun and attempt, those of unknown window first",
        arguments: StoreKind.allCases)
    func order(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let identities = [
            Sample.identity(-3), Sample.identity(2), Sample.identity(2, attempt: 2),
            Sample.identity(2, rerun: "Z"), Sample.identity(2, rerun: "a"),
            Sample.identity(2, rerun: "e\u{301}"),
            Sample.identity(2, rerun: "z"), Sample.identity(2, rerun: "é"), Sample.identity(10),
        ]
        try await ledger.bring(identities[1], to: .rejected)
        for index in [5, 8, 3, 0, 7, 4, 2, 6] {
            try await ledger.bring(identities[index], to: .intended)
        }
        try await ledger.observe(Sample.observation([Sample.observed("x", nil)]))
        let unknown = RunIdentity(flow: Sample.flow, window: nil)
        let recorded = try await ledger.runs(of: Sample.flow).map(\.identity)
        #expect(recorded == [unknown] + identities)
        try await ledger.bring(Sample.identity(1, of: Sample.flow(2)), to: .intended)
        #expect(
            try await ledger.entries(of: nil).map(\.run.identity) == recorded + [
                Sample.identity(1, of: Sample.flow(2))
            ])
        let both = [Sample.flow(2), Sample.flow, Sample.flow(2)]
        #expect(try await ledger.entries(of: both) == ledger.entries(of: nil))
    }
}
