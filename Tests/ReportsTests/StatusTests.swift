import FlowRuns
import Manifests
import Planner
import TestSupport
import Testing

@testable import Reports

@Suite("Status")
struct StatusTests {
    private func declaration(_ number: Int, _ name: String) -> FlowDeclaration {
        FlowDeclaration(
            id: Sample.flowID(number), name: name, manifest: "crm", target: "prod", source: .table,
            windows: [DeclaredWindow(window: Sample.window(Timestamp(seconds: 0), .seconds(60)), line: 3, column: 1)],
            series: [
                Series(
                    every: .days(1), from: Sample.newYear, until: .time(Sample.newYear + Sample.day * 10),
                    place: Sample.place(20))
            ], place: Sample.place(4))
    }

    private func status(_ runs: [RecordedRun]) -> FlowStatus {
        FlowStatus(
            declaration(1, "contacts"), plan: Sample.flow(1, "contacts"), runs: runs, refreshedAt: nil,
            asOf: Sample.asOf)
    }

    private func report(_ runs: [RecordedRun]) -> StatusReport {
        StatusReport(target: "prod", asOf: Sample.asOf, flows: [status(runs)])
    }

    private func planned(_ declaration: FlowDeclaration, runs: [RecordedRun]) -> FlowStatus {
        let record = FlowRecord(
            id: declaration.id, revision: Revision(number: 3), contactedAt: runs.isEmpty ? nil : Timestamp(seconds: 1))
        let plan = Planner(asOf: Sample.asOf).plan(declaration, record: record, runs: runs)
        return FlowStatus(
            declaration, plan: plan, runs: runs, refreshedAt: runs.isEmpty ? nil : Sample.asOf - .seconds(600),
            asOf: Sample.asOf)
    }

    @Test("the due count includes explicit windows and the ended ones of series")
    func due() { #expect(status([]).counts[.due] == 11) }

    @Test("a failed run with a successful retry does not count as failed")
    func retried() {
        let window = Sample.window(Sample.newYear, Sample.day)
        let runs = [Sample.run(1, window, .failed), Sample.run(1, window, .succeeded, attempt: 2)]
        #expect(status(runs).counts[.failed] == 0)
        #expect(status(runs.reversed()).counts[.succeeded] == 1)
        #expect(!report(runs).anyFailed)
    }

    @Test("a later failed run of another client does not change a succeeded window")
    func succeededBefore() {
        let window = Sample.window(Sample.newYear, Sample.day)
        let runs = [
            Sample.run(1, window, .succeeded),
            Sample.run(1, window, .failed, attempt: 2, origin: .service, id: "other"),
        ]
        #expect(status(runs).counts[.failed] == 0)
        #expect(status(runs).counts[.succeeded] == 1)
    }

    @Test("a failed rerun counts separately from the window's ordinary run")
    func failedRerun() {
        let window = Sample.window(Sample.newYear, Sample.day)
        let runs = [Sample.run(1, window, .succeeded), Sample.run(1, window, .failed, rerun: "fix")]
        #expect(report(runs).anyFailed)
        #expect(status(runs).counts[.succeeded] == 1)
    }

    @Test(
        "after a lost ledger, runs count as reruns exactly as in a plan",
        arguments: [
            ([RunState.succeeded, .succeeded], 0), ([.succeeded, .failed], 1), ([.failed, .succeeded], 1),
            ([.failed, .failed], 2),
        ])
    func rerunOfNobody(states: [RunState], failed: Int) {
        let window = Sample.window(Sample.newYear, .seconds(60))
        let declaration = FlowDeclaration(
            id: Sample.flowID(1), name: "contacts", manifest: "crm", target: "prod", source: .file,
            windows: [DeclaredWindow(window: window, line: 3, column: 1)],
            reruns: [Rerun(window: window, id: "fix-418", reason: "late files", place: Sample.place(9))],
            place: Sample.place(4))
        let runs = states.enumerated().map { number, state in
            Sample.run(1, window, state, attempt: number + 1, origin: .service, id: "run-\(number)")
        }
        let status = planned(declaration, runs: runs)
        #expect(status.counts[.failed] == failed)
        #expect(status.counts[.succeeded] == 2 - failed)
        #expect(status.counts[.recorded] == 2)
        let record = FlowRecord(id: declaration.id, contactedAt: Timestamp(seconds: 1))
        #expect(Planner(asOf: Sample.asOf).plan(declaration, record: record, runs: runs).failedCount == failed)
    }

    @Test("a refused retry leaves the failure in place")
    func refusedRetry() {
        let window = Sample.window(Sample.newYear, Sample.day)
        let runs = [Sample.run(1, window, .failed), Sample.run(1, window, .rejected, attempt: 2)]
        #expect(status(runs).counts[.failed] == 1)
    }

    @Test("a flow is behind only by due windows that were never requested")
    func behind() {
        let days = (0..<10).map { Sample.window(Sample.newYear + Sample.day * $0, Sample.day) }
        let first = declaration(1, "contacts").windows[0].window
        let all = ([first] + days).map { Sample.run(1, $0, .succeeded) }
        #expect(planned(declaration(1, "contacts"), runs: all).missing == 0, "however long ago they ended")
        let some = planned(declaration(1, "contacts"), runs: Array(all.dropLast(3)) + [Sample.run(1, days[9], .failed)])
        #expect(some.missing == 2)
        #expect(some.missingTime == Sample.day * 2)
    }

    @Test("failed runs come before partial ones, the latest window first")
    func problems() {
        let failed = (0..<15).map {
            Sample.run(1, Sample.window(Sample.newYear + Sample.day * $0, Sample.day), .failed, id: "f\($0)")
        }
        let partial = Sample.run(1, Sample.window(Sample.newYear + Sample.day * 90, Sample.day), .partial, id: "p")
        let flow = status(failed + [partial])
        #expect(flow.troubles.map(\.kind) == [.failed, .partial])
        #expect(flow.troubles.first?.runs.first?.id == RunID("f14"))
        #expect(flow.troubles.first?.count == 15)
        #expect(flow.troubles.last?.runs.map(\.id) == [RunID("p")])
    }

    @Test("a window ran too often if more runs did not fail than are declared")
    func repeated() {
        let window = Sample.window(Sample.newYear, Sample.day)
        func run(_ id: String, _ state: RunState, at seconds: Int64) -> RecordedRun {
            Sample.run(1, window, state, origin: .service, id: id, at: Timestamp(seconds: seconds))
        }
        let runs = [run("b", .accepted, at: 2), run("a", .succeeded, at: 1), run("c", .failed, at: 3)]
        let rerun = Rerun(window: window, id: "fix", reason: "late files", place: Sample.place(30))
        let once = Sample.declaration(1, windows: [window])
        let twice = Sample.declaration(1, windows: [window], reruns: [rerun])
        #expect(once.repeatedWindows(in: runs).map { $0.runs.map(\.id) } == [[RunID("a"), RunID("b")]])
        #expect(twice.repeatedWindows(in: runs) == [])
        #expect(twice.repeatedWindows(in: runs + [run("d", .partial, at: 4)]).map(\.declared) == [2])
    }

    @Test("a window that ran too often is shown with its runs in every format")
    func repeatedShown() throws {
        let window = Sample.window(Sample.newYear, Sample.day)
        let runs = ["first", "second"].map { Sample.run(1, window, .succeeded, origin: .service, id: $0) }
        let flow = FlowStatus(
            Sample.declaration(1, windows: [window]), plan: Sample.flow(1, nil), runs: runs, refreshedAt: nil,
            asOf: Sample.asOf)
        let report = StatusReport(target: "prod", asOf: Sample.asOf, flows: [flow])
        try expectGolden(report.written(.text, TextStyle(width: 120)), "status-repeated.txt")
        #expect(report.written(.markdown).contains("ingested twice, declared once"))
        let json = report.written(.json)
        #expect(json.contains(#""ingestedTooOften":[{"window""#))
        #expect(try SchemaValidator.faults(in: [.init("status", json)]) == [nil])
    }

    @Test("the time that runs of two windows ingested is shown with both runs in every format")
    func overlapShown() throws {
        let runs = [
            Sample.run(1, Sample.window(Sample.newYear, Sample.day * 2), .succeeded, id: "first"),
            Sample.run(1, Sample.window(Sample.newYear + Sample.day, Sample.day * 2), .accepted, id: "second"),
        ]
        let both = try #require(OverlappingRuns(runs[0], runs[1]))
        let plan = Sample.flow(1, nil, ingestedTwice: [both])
        let flow = FlowStatus(
            Sample.declaration(1, windows: []), plan: plan, runs: runs, refreshedAt: nil, asOf: Sample.asOf)
        let report = StatusReport(target: "prod", asOf: Sample.asOf, flows: [flow])
        try expectGolden(report.written(.text, TextStyle(width: 120)), "status-overlap.txt")
        #expect(report.written(.markdown).contains("ingested by 2 runs of different windows"))
        let json = report.written(.json)
        #expect(try SchemaValidator.faults(in: [.init("status", json)]) == [nil])
        #expect(FlowCoverage(plan, runs: runs).repeated == flow.repeated)
    }

    @Test(
        "runs with too few records are shown in every format, after failed and before partial runs")
    func tooFewRecords() throws {
        let day = { (number: Int) in Sample.window(Sample.newYear + Sample.day * number, Sample.day) }
        let declaration = FlowDeclaration(
            id: Sample.flowID(1), name: "contacts", manifest: "crm", target: "prod", source: .table,
            expectation: Expectation(minimumRecords: 1000),
            series: [
                Series(
                    every: .days(1), from: Sample.newYear, until: .time(Sample.newYear + Sample.day * 5),
                    place: Sample.place(20))
            ], place: Sample.place(4))
        let runs = [
            Sample.run(1, day(0), .succeeded, id: "enough", records: 1000),
            Sample.run(1, day(1), .succeeded, id: "none", records: 0),
            Sample.run(1, day(2), .partial, id: "half", failure: "MAPPER-3700", records: 1),
            Sample.run(1, day(3), .partial, id: "partial", failure: "MAPPER-3700", records: 5000),
            Sample.run(1, day(4), .failed, id: "failed", failure: "CONNECTOR-2001-500"),
        ]
        let report = StatusReport(target: "prod", asOf: Sample.asOf, flows: [planned(declaration, runs: runs)])
        #expect(report.anyTooFewRecords)
        try expectGolden(report.written(.text, TextStyle(width: 120)), "status-records.txt")
        try expectGolden(report.written(.markdown), "status-records.md")
        try expectGolden(report.written(.json), "status-records.json")
        #expect(try SchemaValidator.faults(in: [.init("status", report.written(.json))]) == [nil])
    }

    @Test("the reason why windows wait is shown in every format")
    func waits() throws {
        let waiting = Sample.flow(
            1, "lines",
            held: (0..<5).map {
                HeldWindow(
                    window: Sample.window(Sample.newYear + Sample.day * $0, Sample.day), cause: .waiting,
                    reason: "waits for orders, \($0 < 2 ? "whose run has not ended" : "which is not requested yet")",
                    place: Sample.place(20))
            })
        let flow = FlowStatus(declaration(1, "lines"), plan: waiting, runs: [], refreshedAt: nil, asOf: Sample.asOf)
        #expect((flow.counts[.waiting], flow.counts[.held], flow.counts[.paused]) == (5, 0, 0))
        let report = StatusReport(target: "prod", asOf: Sample.asOf, flows: [flow])
        try expectGolden(report.written(.text, TextStyle(width: 120)), "status-waiting.txt")
        try expectGolden(report.written(.markdown), "status-waiting.md")
        let json = report.written(.json)
        #expect(flow.troubles.map(\.count) == [2, 3])
        #expect(json.contains(#""cause":"waits for orders, whose run has not ended","count":2"#))
        #expect(try SchemaValidator.faults(in: [.init("status", json)]) == [nil])
    }

    @Test("the status as text, Markdown, JSON and metrics, golden")
    func golden() throws {
        let runs = [
            Sample.run(
                2, Sample.window(Sample.newYear, Sample.day), .failed, id: "3fb0418e-1804-45d6-8d56-dd51f05c0baf",
                failure: "CONNECTOR-2001-500: the source could not be read"),
            Sample.run(2, Sample.window(Sample.newYear + Sample.day, Sample.day), .succeeded, id: "b"),
            Sample.run(
                2, Sample.window(Sample.newYear + Sample.day * 2, Sample.day), .partial, id: "c", failure: "MAPPER-3700"
            ),
        ]
        let flows = [
            planned(declaration(1, "contacts"), runs: []), planned(declaration(2, "受注データ"), runs: runs),
        ]
        let report = StatusReport(
            target: "prod", asOf: Sample.asOf, flows: flows, arguments: CommandArguments(manifests: ["manifests/"]))
        try expectGolden(report.written(.text, TextStyle(width: 120)), "status.txt")
        try expectGolden(report.written(.text, TextStyle(width: 80)), "status-narrow.txt")
        try expectGolden(report.written(.markdown), "status.md")
        try expectGolden(report.written(.openMetrics), "status.metrics")
        try expectGolden(report.written(.json), "status.json")
        #expect(try SchemaValidator.faults(in: [.init("status", report.written(.json))]) == [nil])
    }

    @Test("a watched status fits on the screen: running flows first, others counted, totals and next poll last")
    func frame() {
        let window = Sample.window(Sample.newYear, Sample.day)
        let flows = (0..<30).map { number in
            FlowStatus(
                declaration(number, "flow-\(number)"), plan: Sample.flow(number, "flow-\(number)"),
                runs: [Sample.run(number, window, number == 29 ? .accepted : .succeeded)], refreshedAt: nil,
                asOf: Sample.asOf)
        }
        let report = StatusReport(target: "prod", asOf: Sample.asOf, flows: flows)
        let lines = report.frame(TextStyle(width: 80), rows: 12, pause: .seconds(5)).map(\.line)
        #expect(lines.count == 11)
        #expect(lines[2].hasPrefix("… flow-29"))
        #expect(lines[3].hasPrefix("✓ flow-0"))
        #expect(lines.contains { $0.hasPrefix("… and ") && $0.hasSuffix(" more lines") })
        #expect(lines.last == "Next update in 5s; press Ctrl-C to stop.")
        #expect(report.frame(TextStyle(width: 80), rows: 100, pause: .seconds(5)).count == 30 + 5)
    }

    @Test("a frame overwrites the previous one without clearing the screen")
    func overdrawn() {
        let lines: [StyledText] = ["one", "two"]
        #expect(
            String(decoding: lines.overdrawn, as: UTF8.self)
                == "\u{1B}[?7l\u{1B}[Hone\u{1B}[K\ntwo\u{1B}[K\n\u{1B}[J\u{1B}[?7h")
    }
}
