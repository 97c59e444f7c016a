import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Declared windows")
struct WindowPlanningTests {
    @Test("a window that was never run is requested, with the place of its declaration")
    func neverRun() {
        let plan = SampleFlow(windows: [0..<10]).plan
        let place = Place(file: "flows.yaml", line: 101, column: 7)
        let window = Window(0..<10)
        #expect(plan.actions == [PlannedAction(kind: .create, window: window, reason: "never run", place: place)])
        #expect(plan.recordedCount == 0)
    }

    @Test("the plan contains the flow's rules and names, and the ledger's revision")
    func flowFacts() {
        let flow = SampleFlow(overlap: .trim, retryFailed: 3)
        #expect(flow.plan.rules == FlowRules(overlap: .trim, retries: Retries(3)))
        #expect(flow.plan.revision == 7)
        #expect(flow.plan.isVerified)
        #expect([flow.plan.name, flow.plan.manifest, flow.plan.owner] == ["contacts", "crm", "data"])
    }

    @Test(
        "a window with an accepted run is recorded", arguments: [RunState.accepted, .succeeded, .partial, .failed])
    func recorded(_ state: RunState) {
        let plan = SampleFlow(windows: [0..<10], runs: [RecordedRun(0..<10, state)]).plan
        #expect(plan.actions.isEmpty)
        #expect(plan.recordedCount == 1)
        #expect(plan.undeclared.isEmpty)
    }

    @Test("a foreign run counts, and so does a rerun")
    func otherRuns() {
        let identity = RunIdentity(flow: SampleFlow.id, window: Window(0..<10))
        let theirs = RecordedRun(
            identity: identity, state: .succeeded, origin: .service, id: RunID("x"),
            recordedAt: Timestamp(milliseconds: 0))
        let rerun = RecordedRun(20..<30, .succeeded, rerun: "fix")
        #expect(SampleFlow(windows: [0..<10, 20..<30], runs: [theirs, rerun]).plan.recordedCount == 2)
    }

    @Test("a refused request is planned again as the next attempt, with the refusal")
    func refused() {
        let runs = [
            RecordedRun(0..<10, .rejected, failure: "old"),
            RecordedRun(0..<10, .rejected, attempt: 2, failure: "HTTP 400\nno such table"),
        ]
        let action = SampleFlow(windows: [0..<10], runs: runs).plan.actions.first
        #expect(action?.kind == .create)
        #expect(action?.attempt == 3)
        #expect(action?.reason == "refused before: HTTP 400")
        #expect(action?.refusal == "HTTP 400\nno such table")
    }

    @Test("a released request is planned again, without a refusal")
    func released() {
        let action = SampleFlow(windows: [0..<10], runs: [RecordedRun(0..<10, .released)]).plan.actions.first
        #expect(action?.attempt == 2)
        #expect(action?.refusal == nil)
        #expect(action?.reason == "sent before, but the service never had it")
    }

    @Test("a failed run is retried as often as the manifest allows")
    func retries() {
        var flow = SampleFlow(retryFailed: 2, windows: [0..<10])
        flow.runs = [RecordedRun(0..<10, .failed, failure: "CONNECTOR-2001-500 no connection")]
        #expect(flow.plan.actions.first?.kind == .retry(of: RunID("0--1")!))
        #expect(flow.plan.actions.first?.attempt == 2)
        #expect(
            flow.plan.actions.first?.reason
                == "its run 0--1 failed: CONNECTOR-2001-500 no connection; retry 1 of 2")
        flow.runs.append(RecordedRun(0..<10, .failed, attempt: 2))
        #expect(flow.plan.actions.first?.kind == .retry(of: RunID("0--2")!))
        #expect(flow.plan.actions.first?.reason == "its run 0--2 failed; retry 2 of 2")
        flow.runs.append(RecordedRun(0..<10, .failed, attempt: 3))
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.recordedCount == 1)
    }

    @Test("a refused retry is requested again, with the refusal")
    func refusedRetry() {
        let runs = [RecordedRun(0..<10, .failed), RecordedRun(0..<10, .rejected, attempt: 2, failure: "too late")]
        let action = SampleFlow(retryFailed: 1, windows: [0..<10], runs: runs).plan.actions.first
        #expect(action?.kind == .retry(of: RunID("0--1")!))
        #expect(action?.attempt == 3)
        #expect(action?.refusal == "too late")
    }

    @Test("a failed run is not retried if another run of the window was accepted or its run ID is unknown")
    func noRetry() {
        let failed = RecordedRun(0..<10, .failed)
        for other in [RecordedRun(0..<10, .accepted, attempt: 2), RecordedRun(0..<10, .succeeded, rerun: "fix")] {
            #expect(SampleFlow(retryFailed: 5, windows: [0..<10], runs: [failed, other]).plan.actions.isEmpty)
        }
        var nameless = failed
        nameless.id = nil
        #expect(SampleFlow(retryFailed: 5, windows: [0..<10], runs: [nameless]).plan.recordedCount == 1)
    }

    @Test("series and explicit windows are merged in order")
    func merged() {
        let flow = SampleFlow(
            windows: [100..<110, 20..<30], series: [Series(every: 10, 40..<60), Series(every: 5, 0..<12)])
        #expect(flow.plan.ranges == [0..<5, 5..<10, 20..<30, 40..<50, 50..<60, 100..<110])
    }

    @Test("only windows that have ended are due in a series until now")
    func due() {
        let place = Place(file: "flows.yaml", line: 301, column: 1)
        let series = Series(
            every: .fixed(.seconds(10)), from: Timestamp(seconds: 0), until: .now, lag: .seconds(5), place: place)
        #expect(SampleFlow(series: [series], asOf: Timestamp(seconds: 36)).plan.ranges == [0..<10, 10..<20, 20..<30])
    }

    @Test("a series that is too long is a single error")
    func endless() {
        let place = Place(file: "flows.yaml", line: 301, column: 1)
        let series = Series(every: .fixed(.seconds(1)), from: Timestamp(seconds: 0), until: .now, place: place)
        let plan = SampleFlow(series: [series], asOf: Timestamp(seconds: 1_700_000_000)).plan
        #expect(plan.codes == [.seriesTooLong])
        #expect(plan.actions.isEmpty)
    }

    @Test("a window declared twice is an error that names both places, and is requested once")
    func declaredTwice() {
        let flow = SampleFlow(
            windows: [0..<10, 40..<50, 0..<10],
            series: [Series(every: 10, 40..<60, line: 301), Series(every: 10, 50..<60, line: 302)])
        #expect(flow.plan.codes == [.windowDeclaredTwice, .windowDeclaredTwice, .windowDeclaredTwice])
        #expect(flow.plan.lines == [103, 301, 302])
        #expect(flow.plan.diagnostics.map { $0.notes.first?.place.line } == [101, 102, 301])
        #expect(flow.plan.ranges == [0..<10, 40..<50, 50..<60])
    }

    @Test("undeclared recorded runs are listed, rejected and released requests are not")
    func undeclared() {
        let runs = [
            RecordedRun(0..<10, .succeeded), RecordedRun(5..<8, .failed), RecordedRun(20..<30, .rejected),
            RecordedRun(0..<10, .succeeded, rerun: "old"), RecordedRun(40..<50, .accepted),
        ]
        let plan = SampleFlow(windows: [0..<10], runs: runs).plan
        #expect(plan.undeclared.map(\.window?.range) == [0..<10, 5..<8, 40..<50])
        #expect(plan.undeclared.first?.identity.rerun == "old")
    }
}
