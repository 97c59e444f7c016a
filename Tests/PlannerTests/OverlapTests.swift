import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Overlapping windows")
struct OverlapTests {
    @Test(
        "a new window that overlaps a recorded one is an error",
        arguments: [5..<15, -5..<5, 2..<8, -5..<15, 0..<5] as [Range<Int64>])
    func overlapsRecorded(_ window: Range<Int64>) {
        let plan = SampleFlow(windows: [window, 20..<30], runs: [RecordedRun(0..<10, .succeeded)]).plan
        #expect(plan.codes == [.windowOverlapsRecorded])
        #expect(plan.lines == [101])
        #expect(plan.diagnostics.first?.message.hasSuffix("recorded as run 0--1") == true)
        #expect(plan.ranges == [20..<30])
    }

    @Test("a window that only touches another does not overlap it")
    func touches() {
        let plan = SampleFlow(windows: [10..<20, -10..<0], runs: [RecordedRun(0..<10, .succeeded)]).plan
        #expect(plan.ranges == [-10..<0, 10..<20])
        #expect(plan.diagnostics.isEmpty)
    }

    @Test("a rejected or released request covers nothing")
    func voidRuns() {
        let runs = [RecordedRun(0..<10, .rejected), RecordedRun(2..<4, .released)]
        #expect(SampleFlow(windows: [5..<15], runs: runs).plan.ranges == [5..<15])
    }

    @Test("two new windows that overlap are an error at the later one, with a note at the other")
    func overlapsDeclared() {
        let plan = SampleFlow(windows: [5..<15, 0..<10]).plan
        #expect(plan.codes == [.windowOverlapsDeclared])
        #expect(plan.lines == [101])
        #expect(plan.diagnostics.first?.notes.map(\.place.line) == [102])
        #expect(plan.ranges == [0..<10])
    }

    @Test("two declared windows that overlap are a warning once both are recorded")
    func bothRecorded() {
        let runs = [RecordedRun(0..<10, .succeeded), RecordedRun(5..<15, .succeeded)]
        let plan = SampleFlow(windows: [0..<10, 5..<15], runs: runs).plan
        #expect(plan.codes == [.windowsIngestedTwice])
        #expect(!plan.diagnostics.hasErrors)
    }

    @Test("a window that overlaps both a declared and a recorded one causes both errors")
    func bothFaults() {
        let plan = SampleFlow(windows: [0..<10, 5..<15], runs: [RecordedRun(12..<20, .succeeded)]).plan
        #expect(Set(plan.codes) == [.windowOverlapsDeclared, .windowOverlapsRecorded])
        #expect(plan.ranges == [0..<10])
    }

    @Test("of ten thousand overlaps, twenty are shown and the others are counted")
    func flood() {
        let windows = (0..<10_000).map { Int64($0)..<Int64($0 + 2) }
        let plan = SampleFlow(windows: windows).plan
        #expect(plan.diagnostics.count == 21)
        #expect(plan.diagnostics.first?.message.contains("9,979 more in this flow") == true)
        #expect(plan.diagnostics.first?.severity == .error)
    }

    @Test("a series of another length or phase causes one diagnostic for any number of overlapping windows")
    func series() throws {
        func series(_ every: Duration, from: Int64, line: Int) -> Series {
            Series(
                every: .fixed(every), from: Timestamp(seconds: from), until: .time(Timestamp(seconds: 1000)),
                place: Place(file: "flows.yaml", line: line, column: 1))
        }
        let runs = (0..<100).map { RecordedRun(Int64($0 * 10)..<Int64($0 * 10 + 10), .succeeded) }
        let plan = SampleFlow(series: [series(.seconds(30), from: 0, line: 7)], runs: runs).plan
        let diagnostic = try #require(plan.diagnostics.first)
        #expect(plan.codes == [.windowOverlapsRecorded])
        #expect(
            diagnostic.message
                == "33 new windows of this series, from 1970-01-01T00:00:00Z to 1970-01-01T00:16:30Z, partly overlap "
                + "recorded ones; the first, 1970-01-01T00:00:00Z to 1970-01-01T00:00:30Z, overlaps "
                + "1970-01-01T00:00:00Z to 1970-01-01T00:00:10Z, recorded as run 0--1")
        #expect(diagnostic.suggestion?.contains("overlap: trim") == true)
        #expect(diagnostic.place?.line == 7)

        let both = SampleFlow(series: [series(.seconds(20), from: 0, line: 7), series(.seconds(20), from: 5, line: 8)])
        #expect(both.plan.codes == [.windowOverlapsDeclared, .windowOverlapsDeclared])
        #expect(both.plan.diagnostics.first?.message.contains("windows of this series") == true)
    }

    @Test("allow sends overlapping windows")
    func allow() {
        let flow = SampleFlow(overlap: .allow, windows: [0..<10, 5..<15], runs: [RecordedRun(8..<20, .succeeded)])
        #expect(flow.plan.ranges == [0..<10, 5..<15])
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("trim requests the uncovered pieces of a window")
    func trim() {
        let runs = [RecordedRun(2..<4, .succeeded), RecordedRun(6..<8, .failed)]
        let plan = SampleFlow(overlap: .trim, windows: [0..<10, 5..<15], runs: runs).plan
        #expect(plan.ranges == [0..<2, 4..<10, 10..<15])
        #expect(
            plan.actions.first?.reason == "never run; what is left of 1970-01-01T00:00:00Z to 1970-01-01T00:00:10Z")
        #expect(plan.actions.map(\.place.line) == [101, 101, 102])
        #expect(plan.undeclared.map(\.window?.range) == [6..<8])
        #expect(plan.diagnostics.isEmpty)
    }

    @Test("trim requests nothing for a fully covered window, which counts as recorded")
    func trimmedAway() {
        let runs = [RecordedRun(0..<6, .succeeded), RecordedRun(5..<20, .succeeded)]
        let plan = SampleFlow(overlap: .trim, windows: [2..<10, 12..<14, 0..<6], runs: runs).plan
        #expect(plan.actions.isEmpty)
        #expect(plan.recordedCount == 3)
        #expect(plan.undeclared.map(\.window?.range) == [5..<20])
    }

    @Test(
        "the part of a failed window that another run has since covered is a matter for the overlap policy",
        arguments: FlowDeclaration.Overlap.allCases)
    func retryBesideOthers(overlap: FlowDeclaration.Overlap) {
        let other = RecordedRun(
            identity: RunIdentity(flow: SampleFlow.id, window: Window(5..<15)), state: .succeeded, origin: .service,
            id: RunID("other"), recordedAt: Timestamp(seconds: 200))
        let plan = SampleFlow(
            overlap: overlap, retryFailed: 1, windows: [0..<10], runs: [RecordedRun(0..<10, .failed), other]
        ).plan
        switch overlap {
        case .allow: #expect(plan.actions.map(\.kind) == [.retry(of: RunID("0--1")!)])
        case .error: #expect(plan.codes == [.windowOverlapsRecorded] && plan.actions.isEmpty)
        case .trim:
            #expect(plan.actions.map(\.kind) == [.create])
            #expect(plan.ranges == [0..<5])
        }
        #expect(plan.diagnostics.hasErrors == (overlap == .error))
    }

    @Test(
        "a failed run covers nothing: windows inside it are requested, and it is listed as undeclared",
        arguments: FlowDeclaration.Overlap.allCases)
    func longRunFailed(overlap: FlowDeclaration.Overlap) {
        let flow = SampleFlow(
            overlap: overlap, retryFailed: 1, windows: [0..<10], series: [Series(every: 10, 10..<30)],
            runs: [RecordedRun(0..<30, .failed)])
        #expect(flow.plan.ranges == [0..<10, 10..<20, 20..<30])
        #expect(flow.plan.actions.map(\.kind) == [.create, .create, .create])
        #expect(flow.plan.undeclared.map(\.window?.range) == [0..<30])
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test(
        "a window whose run was partial and whose retry failed is retried again under every overlap policy",
        arguments: FlowDeclaration.Overlap.allCases)
    func failedAfterPartial(overlap: FlowDeclaration.Overlap) {
        let flow = SampleFlow(
            overlap: overlap, retryFailed: 2, retriedStates: [.failed, .partial], windows: [0..<10],
            runs: [RecordedRun(0..<10, .partial), RecordedRun(0..<10, .failed, attempt: 2)])
        #expect(flow.plan.actions.map(\.kind) == [.retry(of: RunID("0--2")!)])
        #expect(flow.plan.diagnostics.isEmpty)
    }

    @Test("a window whose remaining pieces all failed counts as failed, once")
    func exhaustedPieces() {
        var flow = SampleFlow(
            overlap: .trim, windows: [0..<10],
            runs: [RecordedRun(4..<6, .succeeded), RecordedRun(0..<4, .failed), RecordedRun(6..<10, .failed)])
        #expect(flow.plan.actions.isEmpty && flow.plan.undeclared.isEmpty)
        #expect((flow.plan.recordedCount, flow.plan.failedCount) == (1, 1))
        flow.runs.removeLast()
        #expect(flow.plan.ranges == [6..<10])
        #expect((flow.plan.recordedCount, flow.plan.failedCount) == (0, 0))
    }

    // MARK: Ingested twice

    private let overlapping = [RecordedRun(0..<10, .succeeded), RecordedRun(5..<30, .accepted)]

    @Test("two runs of overlapping windows are a warning with both runs and what to do, and the advice silences it")
    func ingestedTwice() throws {
        var flow = SampleFlow(windows: [0..<10, 40..<50], reruns: [Rerun(0..<10, "fix")], runs: overlapping)
        let plan = flow.plan
        #expect(plan.codes == [.windowsIngestedTwice])
        let warning = try #require(plan.diagnostics.first)
        #expect(warning.severity == .warning)
        #expect(
            warning.message
                == "1970-01-01T00:00:05Z to 1970-01-01T00:00:10Z was ingested twice, by run 0--1 of "
                + "1970-01-01T00:00:00Z to 1970-01-01T00:00:10Z and run 5--1 of 1970-01-01T00:00:05Z to "
                + "1970-01-01T00:00:30Z")
        #expect(
            warning.suggestion
                == "check the data; then write under 'acknowledged': {run: \"5--1\", reason: …, window: "
                + "{start: 1970-01-01T00:00:05Z, end: 1970-01-01T00:00:30Z}}")
        #expect(plan.ingestedTwice.map(\.window.range) == [5..<10])
        flow.acknowledged = [
            Acknowledgement(run: RunID("5--1")!, reason: "checked", window: Window(5..<30), place: SampleFlow.place)
        ]
        #expect(flow.plan.diagnostics.isEmpty && flow.plan.ingestedTwice.isEmpty)
        #expect(flow.plan.actions == plan.actions)
    }

    @Test("a run of a replaced flow and one of the flow itself can ingest the same time twice")
    func ingestedTwiceAfterReplacement() {
        let old = RecordedRun(0..<10, .succeeded, id: "old", of: SampleFlow.replacedID)
        let flow = SampleFlow(replacedRuns: [old], runs: [RecordedRun(5..<15, .succeeded)])
        #expect(flow.plan.codes == [.windowsIngestedTwice])
    }

    @Test("runs of one window, failed runs, requests in doubt and flows with 'overlap: allow' ingest nothing twice")
    func ingestedOnce() {
        var flow = SampleFlow(overlap: .allow, runs: overlapping)
        #expect(flow.plan.diagnostics.isEmpty)
        flow.overlap = .trim
        for state in [RunState.failed, .rejected, .released, .inDoubt] {
            flow.runs = [overlapping[0], RecordedRun(5..<30, state)]
            #expect(!flow.plan.codes.contains(.windowsIngestedTwice))
        }
        flow.runs = [overlapping[0], RecordedRun(0..<10, .succeeded, rerun: "fix"), RecordedRun(10..<20, .succeeded)]
        #expect(!flow.plan.codes.contains(.windowsIngestedTwice))
    }

    @Test("of a hundred windows inside a long run, twenty warnings are shown and the others are counted")
    func ingestedTwiceFlood() {
        let days = (0..<100).map { Int64($0)..<Int64($0 + 1) }
        let runs = days.map { RecordedRun($0, .succeeded) } + [RecordedRun(0..<100, .succeeded, id: "long")]
        let plan = SampleFlow(windows: days, runs: runs).plan
        #expect(plan.diagnostics.count == 21)
        #expect(plan.diagnostics.contains { $0.message.hasPrefix("80 more in this flow") && $0.severity == .warning })
        #expect(plan.ingestedTwice.count == 100)
        #expect(plan.actions.isEmpty)
    }

    @Test("a rejected piece of a trimmed window gets another attempt, a failed piece a retry")
    func piecesAgain() {
        let runs = [
            RecordedRun(0..<4, .succeeded), RecordedRun(4..<6, .rejected), RecordedRun(6..<8, .succeeded),
            RecordedRun(8..<10, .failed),
        ]
        let plan = SampleFlow(overlap: .trim, retryFailed: 1, windows: [0..<10], runs: runs).plan
        #expect(plan.ranges == [4..<6, 8..<10])
        #expect(plan.actions.map(\.attempt) == [2, 2])
        #expect(plan.actions.map(\.kind) == [.create, .retry(of: RunID("8--1")!)])
        #expect(plan.recordedCount == 0)
    }
}
