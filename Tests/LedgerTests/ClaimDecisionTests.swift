import FlowRuns
import Testing

@testable import Ledger

@Suite("What becomes of an open request")
struct ClaimDecisionTests {
    /// A row of the table: the decisions for early, ambiguous, incomplete and complete evidence.
    private struct Row: Sendable {
        let candidates: ClaimDecision.Candidates
        let decisions: [ClaimDecision]
    }

    private static let table = [
        Row(candidates: .own, decisions: [.adoptOwn, .adoptOwn, .adoptOldest, .adoptOldest]),
        Row(candidates: .foreign, decisions: [.wait, .wait, .adoptOldest, .adoptOldest]),
        Row(candidates: .none, decisions: [.wait, .wait, .wait, .release]),
    ]

    @Test("each row of the table", arguments: table)
    private func decisions(_ row: Row) {
        #expect(ClaimDecision.Evidence.allCases.map { ClaimDecision(row.candidates, $0) } == row.decisions)
    }

    @Test("the table has each kind of candidates once")
    func coverage() {
        #expect(Self.table.map(\.candidates) == ClaimDecision.Candidates.allCases)
    }

    @Test("what a listing proves depends on its age, its unreadable runs and how far back it reaches")
    func evidence() throws {
        var ledger = FlowLedger.empty(Sample.identity(1).flow)
        try ledger.claim(Sample.claim(Sample.identity(1)))
        let request = try #require(ledger.openRequests.first)
        let isOver = Duration.seconds(122)
        let acknowledged: Set<RunID> = [Sample.run("hidden")]
        func evidence(
            _ runs: [ObservedRun] = [], after time: Duration, isComplete: Bool = true, acknowledged: Set<RunID> = []
        ) -> ClaimDecision.Evidence {
            let listing = RunListing(runs: runs, date: Sample.now + time, isComplete: isComplete)
            return ClaimSettlementPolicy(settle: Sample.settle, age: Sample.settle, acknowledged: acknowledged)
                .evidence(about: request, from: runs.map { Sighting(run: $0, known: nil) }, in: listing)
        }
        let hidden = Sample.observed("hidden", nil)
        let hiddenBefore = Sample.observed("hidden", nil, after: .seconds(-7_200))
        #expect(evidence(after: .seconds(60)) == .early)
        #expect(evidence([hidden], after: .seconds(60)) == .early)
        #expect(evidence([hidden], after: isOver) == .ambiguous)
        #expect(evidence([hidden], after: isOver, acknowledged: acknowledged) == .ambiguous)
        #expect(evidence([hiddenBefore], after: isOver) == .incomplete)
        #expect(evidence(after: isOver, isComplete: false) == .incomplete)
        #expect(evidence([hiddenBefore], after: isOver, acknowledged: acknowledged) == .complete)
        #expect(evidence([Sample.observed("other", 2)], after: isOver) == .complete)
    }
}
