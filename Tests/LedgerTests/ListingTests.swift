import FlowRuns
import Ledger
import Testing

@Suite("What a listing means to the ledger")
struct ListingTests {
    private var settling: Settling { Settling(settle: Sample.settle) }
    private let isOver = Duration.seconds(122)

    private func claimed(_ window: Int64 = 1, at time: Timestamp? = Sample.now) throws -> FlowLedger {
        var ledger = FlowLedger()
        try ledger.claim(Sample.claim(Sample.identity(window), at: time))
        return ledger
    }

    @Test("runs that nobody recorded are recorded as the service's, each once, oldest first")
    func unrecorded() throws {
        var ledger = FlowLedger()
        let runs = [Sample.observed("b", 1, after: .seconds(20)), Sample.observed("a", 1), Sample.observed("c", 2)]
        #expect(try ledger.observe(Sample.listing(runs, after: isOver), settling: settling, at: Sample.now).new == 3)
        #expect(try ledger.observe(Sample.listing(runs, after: isOver), settling: settling, at: Sample.now).new == 0)
        #expect(ledger.runs.compactMap(\.id) == [Sample.run("a"), Sample.run("b"), Sample.run("c")])
        #expect(ledger.runs.map(\.identity.attempt) == [1, 2, 1])
    }

    @Test("before its time has passed, an open request and the unrecorded runs of its window are left alone")
    func early() throws {
        var ledger = try claimed()
        let runs = [Sample.observed("a", 1), Sample.observed("b", 2)]
        let findings = try ledger.observe(
            Sample.listing(runs, after: .seconds(120)), settling: settling, at: Sample.now)
        #expect(findings.adopted.isEmpty && findings.released.isEmpty)
        #expect(ledger.openRequests.count == 1)
        #expect(ledger.runs.compactMap(\.id) == [Sample.run("b")])
    }

    @Test("when its time has passed, the window's oldest unrecorded run since the claim is adopted")
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

    @Test("when its time has passed and the service has no such run, the request is released")
    func released() throws {
        var ledger = try claimed()
        let findings = try ledger.observe(
            Sample.listing([Sample.observed("b", 2)], after: isOver), settling: settling, at: Sample.now)
        #expect(findings.released == [Sample.identity(1)])
        #expect(ledger.run(Sample.identity(1))?.state == .released)
    }

    @Test("a listing that was not read back to before the claim releases nothing")
    func partial() throws {
        var ledger = try claimed()
        let runs = [Sample.observed("b", 2)]
        let listing = RunListing(
            runs: runs, date: Sample.now + isOver, isComplete: false, readBackTo: Sample.now + .seconds(10))
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).released.isEmpty)
        let deeper = RunListing(
            runs: runs, date: Sample.now + isOver, isComplete: false, readBackTo: Sample.now - .seconds(60))
        #expect(try ledger.observe(deeper, settling: settling, at: Sample.now).released == [Sample.identity(1)])
    }

    @Test("a run made since the claim by our own client is adopted at once, a person's is not")
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

    @Test("another's run of the window is not adopted while the request may be a run whose window cannot be read")
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

    @Test("without the service's time the wait runs from first seeing the claim")
    func withoutDate() throws {
        for (seen, isSettled) in [(Duration.seconds(119), false), (.seconds(120), true)] {
            var ledger = try claimed(at: nil)
            let settling = Settling(settle: Sample.settle, seenFor: seen)
            let listing = RunListing(runs: [], date: nil, isComplete: true)
            let findings = try ledger.observe(listing, settling: settling, at: Sample.now)
            #expect(findings.released.isEmpty == !isSettled)
        }
    }

    @Test("where the service's time stands still the wait is no longer than from first seeing the claim")
    func standingDate() throws {
        for (seen, isSettled) in [(Duration.seconds(119), false), (.seconds(120), true)] {
            var ledger = try claimed()
            let settling = Settling(settle: Sample.settle, seenFor: seen)
            let findings = try ledger.observe(Sample.listing([], after: .zero), settling: settling, at: Sample.now)
            #expect(findings.released.isEmpty == !isSettled)
        }
    }

    @Test("a run whose window cannot be read is recorded, named, and holds every release")
    func unreadable() throws {
        var ledger = try claimed()
        let hidden = Sample.observed("hidden", nil)
        let listing = Sample.listing([hidden], after: isOver)
        #expect(try ledger.observe(listing, settling: settling, at: Sample.now).unreadable == [hidden])
        #expect(ledger.openRequests.count == 1)
        #expect(ledger.run(Sample.run("hidden"))?.window == nil)
        // By now the service tells it: it was the request.
        let told = Sample.listing([Sample.observed("hidden", 1)], after: isOver)
        #expect(
            try ledger.observe(told, settling: settling, at: Sample.now).adopted
                == [Sample.identity(1): Sample.run("hidden")])
        #expect(ledger.runs.count == 1)
    }

    @Test("the manifest may tell the window of a run; one that is only acknowledged releases no doubt that it may be")
    func acknowledged() throws {
        let listing = Sample.listing([Sample.observed("hidden", nil)], after: isOver)
        var ledger = try claimed()
        let unsure = Settling(settle: Sample.settle, acknowledged: [Sample.run("hidden")])
        #expect(try ledger.observe(listing, settling: unsure, at: Sample.now).undecided.count == 1)
        #expect(ledger.openRequests.count == 1)

        let other = Settling(settle: Sample.settle, windows: [Sample.run("hidden"): Sample.window(2)])
        #expect(try ledger.observe(listing, settling: other, at: Sample.now).released == [Sample.identity(1)])
        #expect(ledger.run(Sample.run("hidden"))?.window == Sample.window(2))

        var second = try claimed()
        let mine = Settling(settle: Sample.settle, windows: [Sample.run("hidden"): Sample.window(1)])
        #expect(
            try second.observe(listing, settling: mine, at: Sample.now).adopted
                == [Sample.identity(1): Sample.run("hidden")])
    }

    @Test(
        "a recheck is over after a wait from the ledger as it is, not after a wait that began before it was restored again"
    )
    func recheck() async throws {
        let contents = InMemoryContents()
        let store = InMemoryStore(contents)
        func recheck(_ nonce: String) async throws -> FlowLedger {
            try await store.requireRecheck(of: [Sample.flow]) { nonce }
            return FlowLedger(try store.snapshot(of: Sample.flow))
        }
        let listing = Sample.listing([], after: isOver)
        let first = try await recheck("first")
        let copy = InMemoryContents(copyOf: contents)
        contents.restore(copy)
        var ledger = try await recheck("second")
        #expect(ledger.record.revision.number == first.record.revision.number)
        _ = try ledger.observe(
            listing, settling: Settling(settle: Sample.settle, waitedFrom: first.base), at: Sample.now)
        #expect(ledger.record.needsRecheck)
        // Nothing is written, so that nobody else has to wait once more.
        #expect(!ledger.hasChanges)
        _ = try ledger.observe(
            listing, settling: Settling(settle: Sample.settle, waitedFrom: ledger.base), at: Sample.now)
        #expect(!ledger.record.needsRecheck)
    }

    @Test("an ended run moves along its arrow, and a final state stays")
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
        #expect(try ledger.observe(ended(.failed), settling: settling, at: Sample.now).ended == 1)
        #expect(try ledger.observe(ended(.succeeded), settling: settling, at: Sample.now).ended == 0)
        #expect(ledger.run(Sample.identity(1))?.state == .failed)
    }
}
