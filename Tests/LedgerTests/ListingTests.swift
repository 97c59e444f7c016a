import FlowRuns
import Ledger
import Testing

@Suite("Listings")
struct ListingTests {
    private var settling: ClaimSettlementPolicy { ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle) }
    private let isOver = Duration.seconds(122)

    private func claimed(_ window: Int64 = 1, at time: Timestamp? = Sample.now) throws -> FlowLedger {
        var ledger = FlowLedger()
        try ledger.claim(Sample.claim(Sample.identity(window), at: time))
        return ledger
    }

    @Test("unrecorded runs are recorded once with the origin service, oldest first")
    func unrecorded() throws {
        var ledger = FlowLedger()
        let runs = [Sample.observed("b", 1, after: .seconds(20)), Sample.observed("a", 1), Sample.observed("c", 2)]
        let listing = Sample.listing(runs, after: isOver)
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).counts[.new] == 3)
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).counts[.new] == 0)
        #expect(ledger.runs.compactMap(\.id) == [Sample.run("a"), Sample.run("b"), Sample.run("c")])
        #expect(ledger.runs.map(\.identity.attempt) == [1, 2, 1])
    }

    @Test("before the settle time, open requests and unrecorded runs of their windows are unchanged")
    func early() throws {
        var ledger = try claimed()
        let runs = [Sample.observed("a", 1), Sample.observed("b", 2)]
        let findings = try ledger.observe(
            Sample.listing(runs, after: .seconds(120)), settling: settling, at: Sample.now)
        #expect(findings.adopted.isEmpty && findings.released.isEmpty)
        #expect(ledger.openRequests.count == 1)
        #expect(ledger.runs.compactMap(\.id) == [Sample.run("b")])
    }

    @Test("after the settle time, the oldest unrecorded run of the window since the claim is adopted")
    func adopted() throws {
        var ledger = try claimed()
        let runs = [
            Sample.observed("late", 1, after: .seconds(30)), Sample.observed("mine", 1),
            Sample.observed("before", 1, after: .seconds(-5)),
        ]
        let findings = try ledger.observe(Sample.listing(runs, after: isOver), settling: settling, at: Sample.now)
        #expect(findings.adopted == [Sample.identity(1): Sample.run("mine")])
        #expect(ledger.openRequests.isEmpty)
        #expect(Set(ledger.runs.compactMap(\.id)) == [Sample.run("mine"), Sample.run("late"), Sample.run("before")])
    }

    @Test("after the settle time, a request without a run on the service is released")
    func released() throws {
        var ledger = try claimed()
        let findings = try ledger.observe(
            Sample.listing([Sample.observed("b", 2)], after: isOver), settling: settling, at: Sample.now)
        #expect(findings.released == [Sample.identity(1)])
        #expect(ledger.run(Sample.identity(1))?.state == .released)
    }

    @Test("a listing that does not reach back to before the claim releases nothing")
    func partial() throws {
        var ledger = try claimed()
        let runs = [Sample.observed("b", 2)]
        let listing = RunListing(
            runs: runs, date: Sample.now + isOver, isComplete: false, readBackTo: Sample.now + .seconds(10))
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).released.isEmpty)
        let deeper = RunListing(
            runs: runs, date: Sample.now + isOver, isComplete: false,
            readBackTo: Sample.now - maxClockStep - .seconds(60))
        #expect(try ledger.observe(deeper, settling: settling, at: Sample.now).released == [Sample.identity(1)])
    }

    @Test("a run of this client since the claim is adopted at once, a run of another client is not")
    func shortcut() throws {
        var ledger = FlowLedger()
        try ledger.bring(Sample.identity(0), to: .accepted)
        try ledger.claim(Sample.claim(Sample.identity(1)))
        let own = ObservedRun(
            id: try #require(ledger.runs.first?.id), window: Sample.window(0), createdAt: Sample.now,
            createdClient: "key", status: "x", end: nil)
        let byHand = Sample.observed("hand", 1, after: .seconds(5), client: "ui")
        var findings = try ledger.observe(
            Sample.listing([own, byHand], after: .seconds(20)), settling: settling, at: Sample.now)
        #expect(findings.adopted.isEmpty)
        findings = try ledger.observe(
            Sample.listing([own, byHand, Sample.observed("mine", 1, client: "key")], after: .seconds(20)),
            settling: settling, at: Sample.now)
        #expect(findings.adopted == [Sample.identity(1): Sample.run("mine")])
    }

    @Test("a foreign run of the window is not adopted while the request could be a run with an unreadable window")
    func hiddenBesideAnother() throws {
        var ledger = try claimed()
        let listing = Sample.listing(
            [Sample.observed("hidden", nil), Sample.observed("another", 1, after: .seconds(15))], after: isOver)
        let findings = try ledger.observe(listing, settling: settling, at: Sample.now)
        #expect(findings.adopted.isEmpty && findings.released.isEmpty)
        let told = Sample.listing(
            [Sample.observed("hidden", 1), Sample.observed("another", 1, after: .seconds(15))], after: isOver)
        #expect(
            try ledger.observe(told, settling: settling, at: Sample.now).adopted
                == [Sample.identity(1): Sample.run("hidden")])
    }

    @Test("without a service time, the settle time begins when the claim is first seen")
    func withoutDate() throws {
        for (seen, isSettled) in [(Duration.seconds(119), false), (.seconds(120), true)] {
            var ledger = try claimed(at: nil)
            let settling = ClaimSettlementPolicy(settle: Sample.settle, seenFor: seen)
            let listing = RunListing(runs: [], date: nil, isComplete: true)
            let findings = try ledger.observe(listing, settling: settling, at: Sample.now)
            #expect(findings.released.isEmpty == !isSettled)
        }
    }

    @Test("with a service time that does not advance, the wait is at most the settle time since first seeing the claim")
    func standingDate() throws {
        for (seen, isSettled) in [(Duration.seconds(119), false), (.seconds(120), true)] {
            var ledger = try claimed()
            let settling = ClaimSettlementPolicy(settle: Sample.settle, seenFor: seen)
            let findings = try ledger.observe(Sample.listing([], after: .zero), settling: settling, at: Sample.now)
            #expect(findings.released.isEmpty == !isSettled)
        }
    }

    @Test("a Date that jumps ahead settles nothing before the claim is old enough by a clock of this machine")
    func jumpingDate() throws {
        let listing = Sample.listing([], after: .seconds(3_600))
        for (age, isSettled) in [(Duration?.none, false), (.seconds(119), false), (.seconds(120), true)] {
            var ledger = try claimed()
            let policy = ClaimSettlementPolicy(settle: Sample.settle, age: age)
            let findings = try ledger.observe(listing, settling: policy, at: Sample.now)
            #expect(findings.released.isEmpty == !isSettled)
        }
    }

    @Test("a claim that is old by the boot clock is not settled by a listing with an old Date, as from a cache")
    func oldDate() throws {
        var ledger = try claimed()
        let policy = ClaimSettlementPolicy(settle: Sample.settle, age: .seconds(3_600))
        #expect(
            try ledger.observe(Sample.listing([], after: .seconds(60)), settling: policy, at: Sample.now).released
                .isEmpty)
    }

    @Test("a run with an unreadable window is recorded and reported, and prevents every release")
    func unreadable() throws {
        var ledger = try claimed()
        let hidden = Sample.observed("hidden", nil)
        let listing = Sample.listing([hidden], after: isOver)
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).unreadable == [hidden])
        #expect(ledger.openRequests.count == 1)
        #expect(ledger.run(Sample.run("hidden"))?.window == nil)
        // Now the listing contains the window: the run is the answer to the request.
        let told = Sample.listing([Sample.observed("hidden", 1)], after: isOver)
        #expect(
            try ledger.observe(told, settling: settling, at: Sample.now).adopted
                == [Sample.identity(1): Sample.run("hidden")])
        #expect(ledger.runs.count == 1)
    }

    @Test("an acknowledgement with a window settles a doubt, one without a window does not")
    func acknowledged() throws {
        let listing = Sample.listing([Sample.observed("hidden", nil)], after: isOver)
        var ledger = try claimed()
        let unsure = ClaimSettlementPolicy(
            settle: Sample.settle, age: Sample.settle, acknowledged: [Sample.run("hidden")])
        #expect(try ledger.observe(listing, settling: unsure, at: Sample.now).undecided.count == 1)
        #expect(ledger.openRequests.count == 1)

        // The window that a manifest gives counts at planning; it is not written into the ledger.
        ledger = try claimed()
        let known = ClaimSettlementPolicy(
            settle: Sample.settle, age: Sample.settle, acknowledgedWindows: [Sample.run("hidden")])
        let findings = try ledger.observe(listing, settling: known, at: Sample.now)
        #expect(findings.released == [Sample.identity(1)])
        #expect(findings.unreadable.isEmpty && findings.undecided.isEmpty)
        #expect(ledger.run(Sample.run("hidden"))?.window == nil)
    }

    @Test(
        "a recheck ends only if its wait began at the current state of the ledger, not before another restore"
    )
    func recheck() async throws {
        let contents = InMemoryContents()
        let store = InMemoryStore(contents)
        func recheck(_ nonce: String) async throws -> FlowLedger {
            try await store.requireRecheck(of: [Sample.flow]) { nonce }
            return FlowLedger(try await store.snapshot(of: Sample.flow))
        }
        let listing = Sample.listing([], after: isOver)
        let first = try await recheck("first")
        let copy = InMemoryContents(copyOf: contents)
        contents.restore(copy)
        var ledger = try await recheck("second")
        #expect(ledger.record.revision.number == first.record.revision.number)
        _ = try ledger.observe(
            listing, settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle, waitedFrom: first.base),
            at: Sample.now)
        #expect(ledger.record.needsRecheck)
        // Nothing is written, because a commit would make other processes wait again.
        #expect(!ledger.hasChanges)
        _ = try ledger.observe(
            listing,
            settling: ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle, waitedFrom: ledger.base),
            at: Sample.now)
        #expect(!ledger.record.needsRecheck)
    }

    @Test("an ended run gets another end when the service corrects it")
    func ends() throws {
        var ledger = FlowLedger()
        try ledger.bring(Sample.identity(1), to: .accepted)
        let id = try #require(ledger.runs.first?.id)
        func ended(_ state: RunState) -> RunListing {
            Sample.listing(
                [
                    ObservedRun(
                        id: id, window: Sample.window(1), createdAt: Sample.now, status: "x", end: RunEnd(state: state))
                ], after: isOver)
        }
        #expect(try ledger.observe(ended(.failed), settling: settling, at: Sample.now).counts[.ended] == 1)
        #expect(try ledger.observe(ended(.succeeded), settling: settling, at: Sample.now).counts[.ended] == 0)
        #expect(ledger.run(Sample.identity(1))?.state == .succeeded)
    }
}
