import FlowRuns
import Manifests
import Planner
import Testing

@testable import Applier

/// The order of the stages of an apply.
@Suite("Apply loop")
struct ApplyLoopTests {
    private static let flow = FlowID("00000000-0000-4000-8000-000000000001")!

    /// Creates a plan with the given numbers of requests and of windows that are held.
    private static func plan(_ requests: Int, held: Int = 0, as cause: HeldWindow.Cause = .doubt) -> Plan {
        let place = Place(file: "flows.yaml", line: 1, column: 1)
        func window(_ number: Int) -> Window {
            Window(startSeconds: Int64(number) * 10, endSeconds: Int64(number) * 10 + 10)!
        }
        let actions = (0..<requests).map { number in
            PlannedAction(kind: .create, window: window(number), attempt: 1, reason: "never run", place: place)
        }
        let windows = (requests..<requests + held).map { number in
            HeldWindow(window: window(number), cause: cause, reason: "waits", place: place)
        }
        return Plan(
            asOf: Timestamp(seconds: 1000),
            target: Target(
                name: "prod", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "x"),
                place: place),
            manifests: [],
            flows: [
                FlowPlan(
                    id: flow, name: nil, manifest: "crm", owner: nil, source: .file, place: place, revision: 0,
                    isVerified: true, actions: PlannedActions(actions), held: windows, recordedCount: 0,
                    undeclared: [], diagnostics: [])
            ])
    }

    private static func outcome(accepted: Int = 0, removed: Int = 0, end: FlowEnd = .done) -> ApplyOutcome {
        ApplyOutcome(flows: [FlowOutcome(flow: flow, accepted: accepted, removed: removed, remaining: 0, end: end)])
    }

    private static func waited(succeeded: Int = 0, failed: Int = 0, running: Int = 0) -> WaitOutcome {
        [.succeeded: succeeded, .failed: failed, .running: running]
    }

    @Test("a plan is confirmed and applied, summarized, and the apply ends")
    func once() {
        var loop = ApplyLoop(waits: false)
        let plan = Self.plan(2)
        let outcome = Self.outcome(accepted: 2)
        #expect(loop.step(after: .planned(plan)) == .apply(plan))
        #expect(loop.step(after: .applied(outcome)) == .finish(outcome, of: plan))
        #expect(loop.step(after: .summarized) == .end(ApplyEnd(apply: outcome, wait: nil, anyRunFailed: false)))
    }

    @Test("a plan without requests is shown, but not applied")
    func nothing() {
        var loop = ApplyLoop(waits: false)
        #expect(loop.step(after: .planned(Self.plan(0))) == .skip(Self.plan(0)))
        #expect(loop.step(after: .applied(Self.outcome())) == .finish(Self.outcome(), of: Self.plan(0)))
    }

    @Test("windows that a doubt held are planned once more, and only once")
    func held() {
        var loop = ApplyLoop(waits: false)
        let plan = Self.plan(0, held: 1)
        #expect(loop.step(after: .planned(plan)) == .apply(plan))
        #expect(loop.step(after: .applied(Self.outcome())) == .plan)
        #expect(loop.round == .held)
        #expect(loop.step(after: .planned(plan)) == .skip(plan), "still held")
        #expect(loop.step(after: .applied(Self.outcome())) == .finish(Self.outcome(), of: plan))
    }

    @Test("an apply that found windows run already plans once more, and shows that only if there is more to request")
    func removed() {
        let outcome = Self.outcome(removed: 1)
        var loop = ApplyLoop(waits: false)
        _ = loop.step(after: .planned(Self.plan(1)))
        #expect(loop.step(after: .applied(outcome)) == .plan)
        #expect(loop.round == .removed)
        #expect(loop.step(after: .planned(Self.plan(0))) == .finish(outcome, of: Self.plan(1)))

        var other = ApplyLoop(waits: false)
        _ = other.step(after: .planned(Self.plan(1)))
        _ = other.step(after: .applied(outcome))
        #expect(other.step(after: .planned(Self.plan(2))) == .apply(Self.plan(2)))
        #expect(other.step(after: .applied(outcome)) == .finish(outcome, of: Self.plan(2)))
    }

    @Test("an incomplete apply ends at once, without a second round or a wait")
    func incomplete() {
        let outcome = Self.outcome(removed: 1, end: .held("in doubt"))
        var loop = ApplyLoop(waits: true)
        let plan = Self.plan(1, held: 1, as: .runningLimit)
        _ = loop.step(after: .planned(plan))
        #expect(loop.step(after: .applied(outcome)) == .finish(outcome, of: plan))
        #expect(loop.step(after: .summarized) == .end(ApplyEnd(apply: outcome, wait: nil, anyRunFailed: false)))
    }

    @Test("while running runs hold windows, a waiting apply waits for one run at a time, then for all")
    func running() {
        let limited = Self.plan(1, held: 1, as: .runningLimit)
        let outcome = Self.outcome(accepted: 1)
        var loop = ApplyLoop(waits: true)
        #expect(loop.step(after: .planned(limited)) == .apply(limited))
        #expect(loop.step(after: .applied(outcome)) == .waitForOneRun(of: limited))
        #expect(loop.step(after: .waited(Self.waited(failed: 1, running: 3))) == .plan)
        #expect(loop.round == .continued)
        #expect(loop.step(after: .planned(Self.plan(1))) == .apply(Self.plan(1)))
        #expect(loop.step(after: .applied(outcome)) == .finish(outcome, of: Self.plan(1)))
        let all = Self.waited(succeeded: 2)
        #expect(
            loop.step(after: .waited(all)) == .end(ApplyEnd(apply: outcome, wait: all, anyRunFailed: true)),
            "the failed run is not forgotten")
    }

    @Test("when nothing has ended in time, or nothing runs any more, the loop ends")
    func timedOut() {
        let limited = Self.plan(0, held: 1, as: .waiting)
        func looped(_ ended: WaitOutcome) -> ApplyLoop.Step {
            var loop = ApplyLoop(waits: true)
            _ = loop.step(after: .planned(limited))
            _ = loop.step(after: .applied(Self.outcome()))
            return loop.step(after: .waited(ended))
        }
        let late = Self.waited(running: 1)
        #expect(looped(late) == .end(ApplyEnd(apply: Self.outcome(), wait: late, anyRunFailed: false)))
        #expect(looped(Self.waited()) == .finish(Self.outcome(), of: limited))
    }

    @Test("a round after the end of a run that leaves nothing to request is not shown")
    func continued() {
        let limited = Self.plan(1, held: 1, as: .waiting)
        var loop = ApplyLoop(waits: true)
        _ = loop.step(after: .planned(limited))
        _ = loop.step(after: .applied(Self.outcome(accepted: 1)))
        _ = loop.step(after: .waited(Self.waited(succeeded: 1)))
        let still = Self.plan(0, held: 1, as: .waiting)
        #expect(loop.step(after: .planned(still)) == .waitForOneRun(of: still))
        _ = loop.step(after: .waited(Self.waited(succeeded: 1)))
        #expect(loop.step(after: .planned(Self.plan(0))) == .finish(ApplyOutcome(flows: []), of: Self.plan(0)))
    }

    @Test("a saved plan is applied once, and not planned again")
    func saved() {
        var loop = ApplyLoop(waits: true, saved: true)
        let plan = Self.plan(1, held: 1, as: .runningLimit)
        let outcome = Self.outcome(removed: 1)
        #expect(loop.step(after: .planned(plan)) == .apply(plan))
        #expect(loop.step(after: .applied(outcome)) == .finish(outcome, of: plan))
    }
}
