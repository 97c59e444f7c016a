import FlowRuns
import FlowService
import Ledger
import Testing

@testable import Applier

@Suite("Listings of several flows")
struct GroupListingTests {
    private static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private static let other = FlowID("4abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private static let settle = Duration.seconds(120)

    private static func time(_ number: Int) -> Timestamp { Timestamp(seconds: 1_700_000_000 + Int64(number) * 1_800) }

    /// Creates a run made `number` half hours after the start.
    private static func run(_ number: Int, of flow: FlowID? = flow) -> ListedRun {
        let run = ObservedRun(
            id: RunID("\(flow?.description.prefix(1) ?? "-")\(number)")!,
            window: Window(start: time(number), end: time(number + 1)), createdAt: time(number), status: "success",
            end: RunEnd(state: .succeeded))
        return ListedRun(flow: flow, run: run)
    }

    private static func others(_ numbers: [Int]) -> [ListedRun] { numbers.map { run($0, of: other) } }

    /// Creates a ledger whose last listing contained these runs.
    private static func ledger(_ numbers: [Int]) throws -> FlowLedger {
        var ledger = FlowLedger.empty(flow)
        let listing = RunListing(runs: numbers.map { run($0).run }, date: time(1_000), isComplete: true)
        _ = try ledger.observe(listing, settling: ClaimSettlementPolicy(settle: settle, age: settle), at: time(1_000))
        return ledger
    }

    /// Returns the runs that the pages contain of a flow with known runs 10 and 20; `nil` if the pages are not reliable
    /// for it.
    private static func told(_ pages: [[ListedRun]], isWhole: Bool = false, of ledger: FlowLedger? = nil) throws
        -> [RunID]?
    {
        var listing = GroupListing()
        for (index, page) in pages.enumerated() {
            _ = listing.add(Page(items: page, next: isWhole && index == pages.count - 1 ? nil : "more"))
        }
        return listing.runs(of: try ledger ?? self.ledger([10, 20]), settle: settle)?.map(\.id)
    }

    @Test("a listing contains a flow's runs once it reaches back before the runs that the last one may have missed")
    func told() throws {
        #expect(
            try Self.told([[Self.run(30), Self.run(20)] + Self.others([17])]) == ["330", "320"].map { RunID($0)! })
        #expect(
            try Self.told([[Self.run(20)], Self.others([19, 18])]) == nil, "a run may be listed late, by another clock")
        #expect(try Self.told([[Self.run(20)] + Self.others([18]), Self.others([18, 17])]) == [RunID("320")!])
    }

    @Test("a listing without the newest known run is not reliable: the service may have listed only other flows")
    func withoutTheFlow() throws {
        #expect(try Self.told([Self.others([30, 20, 17])]) == nil)
        #expect(try Self.told([[Self.run(30)] + Self.others([17])]) == nil)
        #expect(try Self.told([[Self.run(10)]]) == nil)
        #expect(try Self.told([], isWhole: true) == nil)
        #expect(try Self.told([[]], isWhole: true) == nil)
    }

    @Test("a listing that is out of order, or has a run without flow or time, is not reliable")
    func unordered() throws {
        #expect(try Self.told([[Self.run(20)] + Self.others([25, 10])]) == nil)
        #expect(try Self.told([[Self.run(20)], Self.others([30]), [Self.run(10)]]) == nil)
        #expect(try Self.told([[Self.run(20), Self.run(19, of: nil)] + Self.others([10])]) == nil)
        let timeless = ListedRun(
            flow: Self.other,
            run: ObservedRun(id: RunID("x")!, window: nil, createdAt: Timestamp(milliseconds: 0), status: "", end: nil))
        #expect(try Self.told([[Self.run(20), timeless]]) == nil)
    }

    @Test("a listing that ends early is reliable for a flow only if it contains all known runs of the flow")
    func cutOff() throws {
        #expect(try Self.told([[Self.run(21), Self.run(20)]], isWhole: true) == nil, "it may be cut off")
        #expect(try Self.told([[Self.run(21), Self.run(20), Self.run(10)]], isWhole: true)?.count == 3)
        #expect(try Self.told([[Self.run(20)]], isWhole: true, of: Self.ledger([20])) == [RunID("320")!])
        #expect(try Self.told([[Self.run(20)]], isWhole: false, of: Self.ledger([20])) == nil)
    }

    @Test("a listing is not used before first contact, after a restore, or while a request is open")
    func onItsOwn() throws {
        let page = [[Self.run(20)] + Self.others([1])]
        #expect(try Self.told(page, of: FlowLedger.empty(Self.flow)) == nil)
        let seen = try Self.ledger([20])
        var record = seen.record
        record.needsRecheck = true
        #expect(try Self.told(page, of: FlowLedger(FlowSnapshot(record: record, runs: seen.runs))) == nil)
        var claimed = seen
        try claimed.claim(
            Claim(
                identity: RunIdentity(flow: Self.flow, window: Window(startSeconds: 0, endSeconds: 1)),
                deltaColumn: nil, request: "POST",
                claim: RunClaim(
                    id: ClaimID("c")!, owner: "o", time: ServiceTime(earliest: Self.time(30), latest: Self.time(31))),
                claimedAt: .min, provenance: Provenance()))
        #expect(try Self.told(page, of: claimed) == nil)
        #expect(try Self.told(page, of: seen) != nil)
    }

    @Test("the runs are recorded, but the next reconciliation of an apply reads back as far as before")
    func spareNothing() throws {
        var ledger = try Self.ledger([10, 20])
        let findings = try ledger.observe(
            RunListing(some: [Self.run(30).run, Self.run(20).run]),
            settling: ClaimSettlementPolicy(settle: Self.settle, age: Self.settle),
            at: Self.time(2_000))
        #expect(findings.counts[.new] == 1)
        #expect(ledger.runs.compactMap(\.id).contains(RunID("330")!))
        #expect(ledger.record.newestRunAt == Self.time(20))
        #expect(ledger.record.contactedAt == Self.time(2_000), "the status tells when it was refreshed")
        #expect(ledger.record.comparedAt == Self.time(1_000))
    }
}
