import FlowRuns
import Planner
import Testing

@testable import Reports

@Suite("Plans on a terminal")
struct PlanTextTests {
    private func render(_ plan: Plan, _ style: TextStyle = TextStyle(width: 120)) -> String {
        PlanReport(plan).written(.text, style)
    }

    @Test("all elements of a plan, golden")
    func everything() throws {
        try expectGolden(render(Sample.everything), "plan.txt")
        try expectGolden(render(Sample.everything, TextStyle(color: true, width: 120)), "plan-color.txt")
        try expectGolden(render(Sample.everything, TextStyle(width: 60, unicode: false)), "plan-narrow-ascii.txt")
    }

    @Test("a plan with a broken rule is shown as not applicable, golden")
    func broken() throws {
        try expectGolden(render(Sample.plan([Sample.broken, Sample.quiet])), "plan-broken.txt")
    }

    @Test("windows in newest-first order are folded too, golden")
    func newestFirst() throws {
        let plan = Sample.plan([Sample.newestFirst])
        try expectGolden(render(plan), "plan-newest-first.txt")
        #expect(PlanReport(plan).written(.markdown).contains("_newest first, priority 5_"))
    }

    @Test("windows of a batch are counted, golden")
    func batched() throws {
        let plan = Sample.plan([Sample.batched])
        try expectGolden(render(plan), "plan-batched.txt")
        #expect(try readPlan(planJSON(plan)) == plan)
    }

    @Test("postponed windows are distinguished from those in doubt, golden")
    func postponed() throws {
        try expectGolden(render(Sample.plan([Sample.postponed])), "plan-postponed.txt")
        try expectGolden(PlanReport(Sample.plan([Sample.postponed])).written(.markdown), "plan-postponed.md")
    }

    @Test("windows of a series in another time zone are also shown in local time, golden")
    func localTimes() throws {
        let plan = Sample.plan([Sample.local])
        try expectGolden(render(plan), "plan-local.txt")
        #expect(
            PlanReport(plan).written(.markdown).contains(
                "_2024-01-01 00:00 +05:45 … 2024-01-11 00:00 +05:45 Asia/Kathmandu_"))
    }

    @Test("a plan without requests has a message and nothing else")
    func nothingToDo() {
        let text = render(Sample.plan([Sample.flow(1, "contacts", recorded: 340)]))
        #expect(text.hasSuffix("Nothing to do: all 340 windows are recorded.\n"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("a year of days is folded into one line, but the request with the delta column has its own")
    func folding() {
        let lines = render(Sample.plan([Sample.firstRun])).split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("  + 2024") } == 2)
        #expect(lines.contains { $0.contains("delta column DOB") && $0.contains("2024-01-02T00:00:00Z  1d") })
        #expect(lines.contains { $0.contains("365 windows of 1d") })
    }

    @Test("days of 23 and 25 hours fold as calendar days, and months as months")
    func calendar() {
        func folded(_ lengths: [Duration]) -> FoldedWindows? {
            var windows: FoldedWindows?
            var start = Timestamp(seconds: 0)
            for length in lengths {
                let window = Sample.window(start, length)
                start += length
                guard windows != nil else {
                    windows = FoldedWindows(window)
                    continue
                }
                guard windows?.merge(FoldedWindows(window)) == true else { return nil }
            }
            return windows
        }
        let (hour, day) = (Duration.seconds(3600), Sample.day)
        #expect(folded([day, day - hour, day + hour])?.sizeText == "3 windows of 1d (23-25h)")
        #expect(folded([day * 31, day * 28])?.sizeText == "2 windows of 1 month")
        #expect(folded([day * 31, hour]) == nil)
        #expect(folded([day * 7, day]) == nil)
    }

    @Test("retries of touching windows are folded if their runs failed for the same reason")
    func retries() {
        func retry(_ number: Int, _ cause: String) -> PlannedAction {
            PlannedAction(
                kind: .retry(of: RunID("run-\(number)")!),
                window: Sample.window(Timestamp(seconds: Int64(number) * 3600), .seconds(3600)),
                attempt: 2,
                reason: "its run run-\(number) failed: \(cause); retry 1 of 1", place: Sample.place(20))
        }
        let actions = (0..<5).map { retry($0, "no route") } + [retry(5, "no disk")]
        let text = render(Sample.plan([Sample.flow(1, "x", actions: actions)]))
        #expect(text.contains("5 windows of 1h  their runs failed: no route; retry 1 of 1"))
        #expect(text.contains("1h               its run run-5 failed: no disk; retry 1 of 1"))
    }

    @Test("windows that do not touch are not folded")
    func notTouching() {
        let plan = Sample.plan([Sample.flow(1, "x", actions: Sample.creates(3, from: Sample.newYear, gap: .seconds(1)))]
        )
        #expect(render(plan).split(separator: "\n").count { $0.hasPrefix("  + 2024") } == 3)
    }

    @Test("100,000 scattered windows, and 5,000 retries, fit on one screen")
    func bounded() {
        let scattered = Sample.creates(100_000, from: Timestamp(seconds: 0), length: .seconds(3600), gap: .seconds(60))
        let retries = scattered.prefix(5000).map {
            PlannedAction(
                kind: .retry(of: RunID("r")!), window: $0.window, attempt: 2, reason: "its run r failed",
                place: $0.place)
        }
        for (actions, more) in [(scattered, "99,960"), (retries, "4,960")] {
            let text = render(Sample.plan([Sample.flow(1, "contacts", actions: actions)]))
            #expect(text.split(separator: "\n").count < 60)
            #expect(text.contains("… and \(more) more"))
        }
    }

    @Test("300 flows with requests fit on one screen; unusual flows have details, and the others are counted")
    func manyFlows() {
        let flows = (1...300).map {
            Sample.flow(
                $0, "flow \($0)",
                actions: Sample.creates(7, from: Timestamp(seconds: 0), gap: .seconds($0 % 2 == 0 ? 60 : 0)))
        }
        let text = render(Sample.plan(flows))
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count < 60)
        #expect(text.contains("… and 260 more flows: 1,820 to request"))
        #expect(text.contains("Plan: 2,100 to request."))
        #expect(!text.contains("unusual windows"))
        #expect(!text.contains("  check"))
        let late = (1...20).map { Sample.flow(300 + $0, "late \($0)", actions: Sample.creates(1, from: Sample.asOf)) }
        let one = render(Sample.plan(Array(flows.prefix(19)) + late.prefix(1)))
        #expect(one.contains("late 1  ") && one.contains("after this plan"))
        #expect(!one.contains("unusual windows"))
        #expect(render(Sample.plan(flows + late)).split(separator: "\n").count { $0.contains("after this plan") } == 12)
    }

    @Test("a notable request among 10,000 plain ones is shown")
    func notable() {
        var actions = Sample.creates(10_000, from: Timestamp(seconds: 0), length: .seconds(3600), gap: .seconds(60))
        let rerun = actions[5000]
        actions[5000] = PlannedAction(
            kind: .rerun, window: rerun.window, rerun: "fix", reason: "rerun fix: late files", place: rerun.place)
        #expect(render(Sample.plan([Sample.flow(1, "contacts", actions: actions)])).contains("rerun fix: late files"))
    }

    @Test("a window in a wrong year is marked")
    func wrongYear() {
        let year = Duration.seconds(31_622_400)
        let late = Sample.creates(3, from: Sample.newYear) + Sample.creates(1, from: Sample.newYear + year * 8)
        #expect(render(Sample.plan([Sample.flow(1, "contacts", actions: late)])).contains("⚠ ends in 2032"))
        let early = Sample.creates(1, from: Sample.newYear - year * 10) + Sample.creates(3, from: Sample.newYear)
        #expect(
            render(Sample.plan([Sample.flow(1, "contacts", actions: early)])).contains(
                "⚠ 10 years before the next window"))
    }

    @Test("a window of last year among this year's windows is marked")
    func lastYear() {
        let slip = Sample.creates(1, from: Sample.newYear - Sample.day * 366) + Sample.creates(4, from: Sample.newYear)
        #expect(
            render(Sample.plan([Sample.flow(1, "contacts", actions: slip)])).contains("⚠ 365d before the next window"))
    }

    @Test("failed windows without retries left are shown separately from the recorded ones")
    func failed() {
        let flow = Sample.flow(1, "contacts", recorded: 10, failed: 6)
        let text = render(Sample.plan([flow]))
        #expect(text.contains("6 of them failed, and no retry is left"))
        #expect(text.contains("Nothing to do: all 10 windows are recorded; 6 failed, and no retry is left."))
        #expect(PlanReport(Sample.plan([flow])).written(.markdown).contains("🛑 `contacts`: 6 windows failed"))
    }

    @Test("a window much longer than the others is marked")
    func muchLonger() {
        let actions =
            Sample.creates(3, from: Timestamp(seconds: 0), length: .seconds(3600))
            + Sample.creates(1, from: Timestamp(seconds: 10_800), length: Sample.day * 30)
        #expect(
            render(Sample.plan([Sample.flow(1, "x", actions: actions)])).contains(
                "720 times as long as most windows here"))
    }

    @Test("a series that starts ten years early is marked")
    func earlySeries() {
        let flows = [
            Sample.flow(1, "a", actions: Sample.creates(30, from: Sample.newYear)),
            Sample.flow(2, "b", actions: Sample.creates(3683, from: Sample.newYear - Sample.day * 3653)),
            Sample.flow(3, "c", actions: Sample.creates(30, from: Sample.newYear)),
        ]
        let text = render(Sample.plan(flows), TextStyle())
        #expect(text.contains("begins 10 years before most flows of this plan"))
        #expect(text.contains("⚠ 3,683 requests over 10 years"))
    }

    @Test("no line is wider than the terminal", arguments: [50, 60, 80, 100, 140])
    func width(_ width: Int) {
        let name = String(repeating: "a very long name of a flow ", count: 8)
        let long = Sample.flow(9, name, actions: Sample.creates(2, from: Sample.newYear, gap: .seconds(5)), recorded: 3)
        let text = render(Sample.plan([long, Sample.troubled, Sample.held]), TextStyle(width: width))
        let widest = text.split(separator: "\n").map { String($0).columns }.max() ?? 0
        #expect(widest <= max(width, 67), "a window and its length cannot be cut")
    }

    @Test("without colours there are no escape characters, even if a manifest contains them")
    func escapes() {
        let flow = Sample.flow(1, "red\u{1B}[31m", actions: Sample.creates(1, from: Timestamp(seconds: 0)))
        #expect(!render(Sample.plan([flow])).contains("\u{1B}"))
    }
}
