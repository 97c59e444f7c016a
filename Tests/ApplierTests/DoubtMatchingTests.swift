import FlowRuns
import Ledger
import Testing

@testable import Applier

@Suite("Matching doubts with runs")
struct DoubtMatchingTests {
    private let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private let claimedAt = Timestamp(milliseconds: 1_700_000_000_000)

    private func doubt(_ hour: Int64, rerun: String? = nil, after: Duration = .zero) -> RecordedRun {
        RecordedRun(
            identity: RunIdentity(flow: flow, window: window(hour), rerun: rerun), state: .inDoubt,
            recordedAt: claimedAt + after)
    }

    private func window(_ hour: Int64) -> Window { Window(startSeconds: hour * 3600, endSeconds: (hour + 1) * 3600)! }

    private func run(_ id: String, _ hour: Int64?, after: Duration = .seconds(1)) -> ObservedRun {
        ObservedRun(
            id: RunID(id)!, window: hour.map(window), createdAt: claimedAt + after, status: "scheduled", end: nil)
    }

    @Test("a run of the same window made after the claim is the request")
    func found() {
        let matching = DoubtMatching(recorded: [doubt(1)], observed: [run("a", 2), run("b", 1)])
        #expect(matching.found == [doubt(1).identity: RunID("b")!])
        #expect(matching.others.map(\.id.description) == ["a", "b"])
    }

    @Test("a run made well before the claim is somebody else's")
    func earlier() {
        let matching = DoubtMatching(recorded: [doubt(1)], observed: [run("a", 1, after: .milliseconds(-120_000))])
        #expect(matching.found.isEmpty)
        #expect(matching.others.count == 1)
    }

    @Test("a run that the ledger knows already is not taken for a doubt")
    func known() {
        var accepted = doubt(1)
        accepted.state = .accepted
        accepted.id = RunID("a")
        let rerun = doubt(1, rerun: "fix", after: .milliseconds(10))
        let matching = DoubtMatching(recorded: [accepted, rerun], observed: [run("a", 1)])
        #expect(matching.found.isEmpty)
        let later = DoubtMatching(recorded: [accepted, rerun], observed: [run("a", 1), run("b", 1)])
        #expect(later.found == [rerun.identity: RunID("b")!])
    }

    @Test("two doubts of one window take the runs in the order of their claims")
    func twoOfOneWindow() {
        let first = doubt(1)
        let second = doubt(1, rerun: "fix", after: .milliseconds(5000))
        let matching = DoubtMatching(
            recorded: [second, first],
            observed: [run("late", 1, after: .milliseconds(6000)), run("early", 1, after: .milliseconds(10))])
        #expect(matching.found == [first.identity: RunID("early")!, second.identity: RunID("late")!])
    }

    @Test("a run whose window is not told may be any doubt, unless it is acknowledged or every doubt is found")
    func unreadable() {
        let doubts = [doubt(1), doubt(2)]
        let hidden = run("hidden", nil)
        #expect(DoubtMatching(recorded: doubts, observed: [hidden, run("a", 1)]).unreadable == [hidden])
        #expect(
            DoubtMatching(recorded: doubts, observed: [hidden], acknowledged: [RunID("hidden")!]).unreadable.isEmpty)
        #expect(DoubtMatching(recorded: doubts, observed: [hidden, run("a", 1), run("b", 2)]).unreadable.isEmpty)
    }
}
