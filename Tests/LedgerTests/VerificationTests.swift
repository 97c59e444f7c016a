import FlowRuns
import Ledger
import Testing

@Suite("Verification")
struct VerificationTests {
    /// Creates the row of a run, by default of an accepted request.
    static func entry(
        _ window: Int64, attempt: Int = 1, state: RunState = .accepted, origin: RunOrigin = .request,
        run: String? = nil, column: String? = nil, at time: Timestamp = Sample.now
    ) -> LedgerEntry {
        let id = state.isAccepted ? Sample.run(run ?? "run \(window).\(attempt)") : nil
        return LedgerEntry(
            run: RecordedRun(
                identity: Sample.identity(window, attempt: attempt), state: state, origin: origin, id: id,
                deltaColumn: column.map { DeltaColumn(name: $0) }, recordedAt: time,
                claim: origin == .request
                    ? RunClaim(id: ClaimID("c\(window)")!, owner: "o", time: ServiceTime(earliest: time, latest: time))
                    : nil),
            request: origin == .request ? "POST" : nil, updatedAt: time)
    }

    static func violations(_ entries: [LedgerEntry], column: String? = nil) -> [String] {
        let record = FlowRecord(
            id: Sample.flow, revision: Revision(number: 9), contactedAt: Timestamp(milliseconds: 1),
            deltaColumn: column.map { DeltaColumn(name: $0) })
        return LedgerVerification.violations(in: [FlowEntries(record: record, entries: entries)])
    }

    @Test("a valid ledger has no violations")
    func sound() {
        let entries = [
            Self.entry(1, state: .failed, column: "DOB"), Self.entry(1, attempt: 2, at: Sample.now + .milliseconds(1)),
            Self.entry(2, origin: .service, at: Timestamp(milliseconds: 5)),
            Self.entry(2, attempt: 2, at: Sample.now + .seconds(300)),
            Self.entry(3, state: .rejected, column: "EMAIL", at: Timestamp(milliseconds: 7)),
            Self.entry(4, origin: .service), Self.entry(4, attempt: 3),
            // Requested while a manifest acknowledged one of the runs above with this window.
            Self.entry(5, attempt: 2, at: Sample.now + .seconds(600)),
        ]
        #expect(Self.violations(entries, column: "DOB").isEmpty)
    }

    @Test("each violated invariant is described")
    func violations() {
        let expectations: [([LedgerEntry], String)] = [
            ([Self.entry(1), Self.entry(1, attempt: 2)], "2 requests that are under way or have brought"),
            ([Self.entry(1, attempt: 2)], "an attempt before it is missing"),
            ([Self.entry(1, state: .failed), Self.entry(1, state: .failed, run: "b")], "recorded twice"),
            (
                [Self.entry(1, run: "a"), Self.entry(2, run: "a")],
                "the run id a is recorded more than once"
            ),
            ([Self.entry(1, state: .inDoubt), Self.entry(2, state: .intended)], "2 open claims"),
            ([Self.entry(1, column: "A"), Self.entry(2, column: "B")], "two delta columns, A and B"),
            ([Self.entry(1, column: "A"), Self.entry(2, column: "A")], "its delta column 2 times"),
            (
                [Self.entry(1, column: "A"), Self.entry(2, at: Timestamp(milliseconds: 1))],
                "is not the flow's first request"
            ),
            ([Self.entry(1, column: "X")], "accepted the delta column X, but its own is DOB"),
        ]
        for (entries, words) in expectations {
            let violations = Self.violations(entries, column: words.contains("DOB") ? "DOB" : nil)
            #expect(violations.count == 1 && violations[0].contains(words), "\(words): \(violations)")
        }
    }

    @Test("each impossible row is reported separately")
    func impossibleRows() {
        var unanswered = Self.entry(1)
        unanswered.run.id = nil
        var refused = Self.entry(2, state: .rejected)
        refused.run.id = Sample.run("a")
        var silent = Self.entry(3)
        silent.request = nil
        let violations = Self.violations([unanswered, refused, silent])
        #expect(violations.count == 3)
        #expect(violations[0].hasSuffix("window [100, 200), attempt 1: accepted, but without a run id"))
        #expect(violations[1].hasSuffix("rejected, but with the run id a"))
        #expect(violations[2].hasSuffix("its request is not kept"))
    }

    @Test("runs of a flow without a revision are a violation")
    func records() {
        let kept = FlowEntries(record: FlowRecord(id: Sample.flow), entries: [Self.entry(1, origin: .service)])
        #expect(LedgerVerification.violations(in: [kept]).count == 1)
    }
}
