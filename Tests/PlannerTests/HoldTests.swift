import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Held flows")
struct HoldTests {
    private func acknowledgement(_ run: String) -> Acknowledgement {
        Acknowledgement(
            run: RunID(run)!, reason: "by hand", place: Place(file: "flows.yaml", line: 401, column: 9))
    }

    @Test("a request in doubt holds all other requests of the flow", arguments: [RunState.intended, .inDoubt])
    func doubt(_ state: RunState) {
        let flow = SampleFlow(
            retryFailed: 1, windows: [0..<10, 20..<30, 40..<50, 60..<70], reruns: [Rerun(60..<70, "fix")],
            runs: [RecordedRun(20..<30, state), RecordedRun(40..<50, .failed), RecordedRun(60..<70, .succeeded)])
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == [0..<10, 20..<30, 40..<50, 60..<70])
        #expect(
            flow.plan.held.first?.reason
                == "waits until it is known whether the service took 1970-01-01T00:00:20Z to 1970-01-01T00:00:30Z; the next "
                + "apply or refresh finds out")
        #expect(flow.plan.held.dropFirst().first?.reason.contains("at 1970-01-01T00:01:40Z") == true)
        #expect(flow.plan.recordedCount == 1)
    }

    @Test("a request in doubt for an undeclared window also holds the flow, and is listed")
    func undeclaredDoubt() {
        let plan = SampleFlow(windows: [0..<10], runs: [RecordedRun(20..<30, .inDoubt)]).plan
        #expect(plan.held.map(\.window.range) == [0..<10])
        #expect(plan.undeclared.map(\.state) == [.inDoubt])
    }

    @Test("a retry or rerun in doubt holds its own window")
    func doubtfulAttempts() {
        let flow = SampleFlow(
            retryFailed: 2, windows: [0..<10, 20..<30], reruns: [Rerun(20..<30, "fix")],
            runs: [
                RecordedRun(0..<10, .failed), RecordedRun(0..<10, .inDoubt, attempt: 2),
                RecordedRun(20..<30, .succeeded), RecordedRun(20..<30, .intended, rerun: "fix"),
            ])
        #expect(flow.plan.held.map(\.place.line) == [101, 201])
        #expect(flow.plan.recordedCount == 1)
    }

    @Test("a held flow is still checked against the rules")
    func faultsWhileHeld() {
        let flow = SampleFlow(windows: [0..<10, 5..<15], runs: [RecordedRun(20..<30, .inDoubt)])
        #expect(flow.plan.codes == [.windowOverlapsDeclared])
        #expect(flow.plan.held.map(\.window.range) == [0..<10])
    }

    @Test(
        "a window that overlaps a request in doubt is held instead of refused, unless it overlaps another run too",
        arguments: [15..<25, 25..<35, 15..<35, 22..<28] as [Range<Int64>], [RunState.intended, .inDoubt])
    func overlapsDoubt(_ window: Range<Int64>, _ state: RunState) {
        func isHeld(_ plan: FlowPlan) -> Bool { plan.held.contains { $0.window.range == window } }
        for overlap in [FlowDeclaration.Overlap.error, .trim] {
            var flow = SampleFlow(overlap: overlap, windows: [window], runs: [RecordedRun(20..<30, state)])
            #expect(flow.plan.diagnostics.isEmpty)
            #expect(flow.plan.actions.isEmpty && isHeld(flow.plan))
            flow.runs.append(RecordedRun(window.lowerBound - 1..<window.lowerBound + 1, .succeeded))
            #expect(flow.plan.codes.contains(.windowOverlapsRecorded) == (overlap == .error))
            #expect(flow.plan.actions.isEmpty && isHeld(flow.plan) == (overlap == .trim))
        }
    }

    @Test("a request in doubt inside the recorded part of a trimmed window does not hold the rest")
    func doubtInRecordedPart() {
        let doubt = RecordedRun(2..<4, .inDoubt, of: SampleFlow.replacedID)
        let flow = SampleFlow(
            overlap: .trim, windows: [0..<10], replacedRuns: [doubt], runs: [RecordedRun(0..<5, .succeeded)])
        #expect(flow.plan.ranges == [5..<10])
        #expect(flow.plan.held.map(\.window.range) == [2..<4])
    }

    @Test("runs of unknown windows hold the flow until all are acknowledged, with one warning")
    func unknownWindows() {
        var flow = SampleFlow(windows: [0..<10])
        flow.runs = [RecordedRun(nil, .succeeded, id: "x"), RecordedRun(nil, .failed, attempt: 2, id: "y")]
        #expect(flow.plan.codes == [.runOfUnknownWindow])
        #expect(!flow.plan.diagnostics.hasErrors)
        #expect(flow.plan.diagnostics.first?.message.hasSuffix("run x, run y") == true)
        #expect(flow.plan.diagnostics.first?.suggestion?.contains("{run: x, reason: …, window: {") == true)
        #expect(flow.plan.actions.isEmpty)
        #expect(flow.plan.held.map(\.window.range) == [0..<10])
        #expect(flow.plan.undeclared.map(\.id?.description) == ["x", "y"])

        flow.acknowledged = [acknowledgement("x")]
        #expect(flow.plan.held.first?.reason == "waits until run y, whose window cannot be read, is acknowledged")
        flow.acknowledged.append(acknowledgement("y"))
        #expect(flow.plan.ranges == [0..<10])
        #expect(flow.plan.diagnostics.isEmpty)
        #expect(flow.plan.undeclared.isEmpty)
    }

    @Test("a recorded request counts even if the manifest acknowledges it as foreign")
    func acknowledgedRequest() {
        let fix = Rerun(window: Window(0..<10), id: "fix", reason: "late files", place: SampleFlow.place)
        for windows in [[0..<10], []] as [[Range<Int64>]] {
            let flow = SampleFlow(
                windows: windows, reruns: [fix], acknowledged: [acknowledgement("mine")],
                runs: [RecordedRun(0..<10, .succeeded, id: "mine")])
            #expect(flow.plan.actions.map(\.kind) == [.rerun])
            #expect(flow.plan.diagnostics.isEmpty)
        }
    }

    @Test("an acknowledged run that is not in the ledger is a warning, but only after contact with the service")
    func unknownAcknowledgement() {
        var flow = SampleFlow(windows: [0..<10], acknowledged: [acknowledgement("z")])
        #expect(flow.plan.codes == [.acknowledgedRunUnknown])
        #expect(flow.plan.lines == [401])
        #expect(!flow.plan.diagnostics.hasErrors)
        #expect(flow.plan.ranges == [0..<10])
        flow.record.contactedAt = nil
        #expect(flow.plan.diagnostics.isEmpty)
        #expect(!flow.plan.isVerified)
    }
}
