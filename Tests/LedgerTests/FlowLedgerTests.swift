import FlowRuns
import Ledger
import Testing

@Suite("The ledger of a flow")
struct FlowLedgerTests {
    @Test("at most one claim is open, with one request or several")
    func oneClaim() throws {
        var ledger = FlowLedger()
        try ledger.claim(Sample.claim(Sample.identity(1), id: "a"))
        try ledger.claim(Sample.claim(Sample.identity(2), id: "a"))
        #expect(throws: LedgerError.self) { try ledger.claim(Sample.claim(Sample.identity(3), id: "b")) }
        #expect(ledger.openRequests.map(\.identity) == [Sample.identity(1), Sample.identity(2)])
    }

    @Test("the next attempt can be claimed only after a rejection, release or failure", arguments: RunState.allCases)
    func nextAttempt(state: RunState) throws {
        var ledger = FlowLedger()
        try ledger.bring(Sample.identity(1), to: state)
        let isFree = [.rejected, .released, .failed].contains(state)
        let again = Sample.claim(Sample.identity(1, attempt: 2), id: "again")
        if isFree {
            try ledger.claim(again)
        } else {
            #expect(throws: LedgerError.self) { try ledger.claim(again) }
        }
    }

    @Test("only partial runs and runs without records can be followed by a retry")
    func retries() throws {
        let ends: [(RunState, Int64?, Bool)] = [
            (.succeeded, 0, true), (.succeeded, 1, false), (.succeeded, nil, false), (.partial, 5, true),
        ]
        for (state, records, isFree) in ends {
            var ledger = FlowLedger()
            let first = Sample.claim(Sample.identity(1), id: "first")
            try ledger.claim(first)
            try ledger.record(.accepted(Sample.run("a"), response: nil), of: first, at: Sample.now)
            let ended = ObservedRun(
                id: Sample.run("a"), window: Sample.window(1), createdAt: Sample.now, status: "success",
                end: RunEnd(state: state), counts: RunCounts(outputRecords: records))
            _ = try ledger.observe(
                Sample.listing([ended], after: .seconds(1)),
                settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle), at: Sample.now)
            #expect(ledger.run(Sample.run("a"))?.records == records)
            let again = Sample.identity(1, attempt: 2)
            #expect(throws: LedgerError.self) { try ledger.claim(Sample.claim(again, id: "again")) }
            if isFree {
                try ledger.claim(Sample.claim(again, id: "again", isRetry: true))
            } else {
                #expect(throws: LedgerError.self) { try ledger.claim(Sample.claim(again, id: "again", isRetry: true)) }
            }
        }
    }

    @Test("the indexes of open requests, runs and claims agree with a scan of all runs")
    func index() throws {
        var ledger = FlowLedger()
        func check() {
            #expect(ledger.openRequests == ledger.runs.filter(\.state.isDoubtful))
            for name in ["a", "b", "c", "d"] {
                let run = Sample.run(name)
                #expect(ledger.run(run) == ledger.runs.first { $0.id == run })
            }
            for name in ["1", "2", "3"] {
                let claim = ClaimID(name)!
                #expect(ledger.contains(claim) == ledger.runs.contains { $0.claim?.id == claim })
            }
        }
        check()
        let first = Sample.claim(Sample.identity(3), id: "1")
        try ledger.claim(first)
        try ledger.claim(Sample.claim(Sample.identity(1), id: "1"))
        check()
        try ledger.record(.accepted(Sample.run("a"), response: nil), of: first, at: Sample.now)
        check()
        try ledger.record(
            .inDoubt(reason: "lost", response: nil), of: Sample.claim(Sample.identity(1), id: "1"), at: Sample.now)
        check()
        // The first is the request in doubt, the second is a run of an unknown window.
        for (name, window) in [("b", Sample.window(1)), ("c", nil)] {
            let listed = ObservedRun(
                id: Sample.run(name), window: window, createdAt: Sample.now + .seconds(1), status: "started",
                end: nil)
            _ = try ledger.observe(
                Sample.listing([listed], after: .seconds(500)),
                settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle),
                at: Sample.now)
            check()
        }
        let second = Sample.claim(Sample.identity(2), id: "2")
        try ledger.claim(second)
        check()
        // The answer names the run of the unknown window.
        try ledger.record(.accepted(Sample.run("c"), response: nil), of: second, at: Sample.now)
        check()
        let reread = FlowLedger(FlowSnapshot(record: ledger.record, runs: ledger.runs))
        #expect(reread.openRequests == ledger.openRequests && reread.contains(ClaimID("2")!))
        #expect(ledger.runs.count == 3)
    }

    @Test("a request without a window, or with an invalid attempt or rerun, is rejected")
    func impossible() {
        var ledger = FlowLedger()
        for identity in [
            RunIdentity(flow: Sample.flow, window: nil), Sample.identity(1, attempt: 0), Sample.identity(1, rerun: ""),
        ] {
            #expect(throws: LedgerError.self) { try ledger.claim(Sample.claim(identity)) }
        }
        #expect(!ledger.hasChanges)
    }

    @Test("each outcome moves the request to its next state and keeps the reason")
    func outcomes() throws {
        var ledger = FlowLedger()
        let claim = Sample.claim(Sample.identity(1))
        try ledger.claim(claim)
        try ledger.record(.inDoubt(reason: "lost", response: "500"), of: claim, at: Sample.now)
        #expect(ledger.run(Sample.identity(1))?.failure == "lost")
        try ledger.record(.accepted(Sample.run("a"), response: nil), of: claim, at: Sample.now)
        #expect(ledger.run(Sample.identity(1))?.failure == nil)
        #expect(ledger.run(Sample.run("a"))?.state == .accepted)
        // Recording the same answer again, as after a conflict, changes nothing.
        try ledger.record(.accepted(Sample.run("a"), response: nil), of: claim, at: Sample.now)
        #expect(ledger.runs.count == 1)
    }

    @Test("an answer that arrives after the claim was released is recorded as a separate run")
    func lateAnswer() throws {
        var ledger = FlowLedger()
        let claim = Sample.claim(Sample.identity(1))
        try ledger.claim(claim)
        try ledger.record(.released(reason: "absent"), of: claim, at: Sample.now)
        try ledger.record(.accepted(Sample.run("a"), response: nil), of: claim, at: Sample.now)
        #expect(ledger.runs.map(\.state) == [.released, .accepted])
        #expect(ledger.runs.last?.origin == .service)
    }

    @Test("an answer takes over the row that a refresh recorded without a window")
    func slowAnswer() throws {
        var ledger = FlowLedger()
        let claim = Sample.claim(Sample.identity(1))
        try ledger.claim(claim)
        _ = try ledger.observe(
            Sample.listing([Sample.observed("a", nil)], after: .seconds(20)),
            settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle), at: Sample.now)
        #expect(ledger.runs.count == 2)
        try ledger.record(.accepted(Sample.run("a"), response: nil), of: claim, at: Sample.now)
        #expect(ledger.runs.map(\.identity) == [Sample.identity(1)])
        #expect(ledger.run(Sample.run("a"))?.origin == .request)
    }

    @Test("the revision number changes only with data that planning reads, the token with every commit")
    func revisions() throws {
        var ledger = FlowLedger()
        try ledger.bring(Sample.identity(1), to: .accepted)
        let first = ledger.commit(nonce: "a")
        ledger.committed(first)
        #expect(first.record.revision == Revision(number: 1, token: "a"))
        #expect(!ledger.hasChanges)
        let id = try #require(ledger.runs.first?.id)
        let running = ObservedRun(
            id: id, window: Sample.window(1), createdAt: Sample.now, status: "inProgress", end: nil)
        _ = try ledger.observe(
            RunListing(runs: [running], date: nil, isComplete: false),
            settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle),
            at: Sample.now)
        #expect(ledger.commit(nonce: "b").record.revision == Revision(number: 1, token: "b"))
        #expect(ledger.commit(nonce: "b").expecting == first.record.revision)
    }
}
