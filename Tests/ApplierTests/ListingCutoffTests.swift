import FlowRuns
import Ledger
import Testing

@testable import Applier

@Suite("The cutoff for reading the newest runs")
struct ListingCutoffTests {
    private static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private static let settle = Duration.seconds(120)

    /// Creates a run made `number` times ten minutes after the start, without a window.
    private static func run(_ number: Int) -> ObservedRun {
        ObservedRun(
            id: RunID("r\(number)")!, window: nil, createdAt: Timestamp(seconds: 1_700_000_000 + Int64(number) * 600),
            status: "success", end: RunEnd(state: .succeeded))
    }

    private static func runs(_ numbers: [Int]) -> [ObservedRun] { numbers.map(run) }

    /// Creates a ledger whose last listing contained these runs.
    private static func ledger(_ numbers: [Int]) throws -> FlowLedger {
        var ledger = FlowLedger.empty(flow)
        _ = try ledger.observe(
            RunListing(runs: runs(numbers), date: Timestamp(seconds: 1_700_100_000), isComplete: true),
            settling: ClaimSettlementPolicy(settle: settle, age: settle), at: Timestamp(seconds: 1_700_100_000))
        return ledger
    }

    private static func isReached(_ ledger: FlowLedger, _ listed: [Int], lastPage: [Int]) -> Bool {
        ListingCutoff(ledger, settle: settle).isReached(by: runs(listed), lastPage: runs(lastPage))
    }

    @Test("reading stops on a page without new runs that reaches before the runs that the last listing may have missed")
    func newest() throws {
        let ledger = try Self.ledger(Array(1...20))
        #expect(Self.isReached(ledger, Array((13...21).reversed()), lastPage: [14, 13]))
        #expect(
            !Self.isReached(ledger, Array((14...21).reversed()), lastPage: [15, 14]),
            "a run may be listed late, by another clock")
        #expect(!Self.isReached(ledger, [23, 22, 21, 13], lastPage: [21, 13]), "the last page holds a new run")
    }

    @Test("a listing that is not in order of time is read to its end")
    func unordered() throws {
        let ledger = try Self.ledger(Array(1...20))
        #expect(!Self.isReached(ledger, [1, 2, 3], lastPage: [1, 2, 3]))
        #expect(!Self.isReached(ledger, [10], lastPage: [10]), "one run tells no order")
        #expect(!Self.isReached(ledger, [20, 3, 4, 2], lastPage: [4, 2]))
    }

    @Test("a listing is read to its end at first contact, and to before an open claim")
    func claims() throws {
        let new = FlowLedger.empty(Self.flow)
        #expect(!Self.isReached(new, [20, 19, 1], lastPage: [1]))
        for (time, isReached) in [(ServiceTime(earliest: Self.run(10).createdAt, latest: .max), false), (nil, false)] {
            var ledger = try Self.ledger(Array(1...20))
            try ledger.claim(
                Claim(
                    identity: RunIdentity(flow: Self.flow, window: Window(startSeconds: 0, endSeconds: 1)),
                    deltaColumn: nil, request: "POST", claim: RunClaim(id: ClaimID("c")!, owner: "o", time: time),
                    claimedAt: .min, provenance: Provenance()))
            #expect(Self.isReached(ledger, [20, 19, 15], lastPage: [15]) == isReached)
            #expect(Self.isReached(ledger, [20, 19, 3], lastPage: [3]) == (time != nil))
        }
    }
}
