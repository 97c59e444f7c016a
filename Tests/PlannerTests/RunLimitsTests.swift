import FlowRuns
import Manifests
import Testing

@testable import Planner

@Suite("Limits on the number of runs")
struct RunLimitsTests {
    private static func id(_ number: Int) -> FlowID {
        FlowID("3abea21c-7e36-4be1-bec1-00000000000\(number)")!
    }

    /// Plans flows with the given numbers of missing windows.
    private func plan(
        _ windows: [Int], runsPerDay: Int? = nil, running: Int? = nil, ofFlow: Int? = nil, priorities: [Int] = []
    ) -> Plan {
        var target = Target(
            name: "prod", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "x"),
            limits: Limits(), place: SampleFlow.place)
        var limits = Limits()
        (limits.runsPerDay, limits.running) = (runsPerDay, running)
        target = Target(
            name: target.name, service: target.service, organization: "o", sandbox: "s", ledger: target.ledger,
            limits: limits, place: target.place)
        let flows = windows.enumerated().map { index, count in
            let declaration = FlowDeclaration(
                id: Self.id(index), manifest: "crm", target: "prod", source: .file, runsPerDay: ofFlow,
                priority: priorities.isEmpty ? 0 : priorities[index],
                series: [Series(every: 10, 0..<Int64(count) * 10)], place: SampleFlow.place)
            return Planner(asOf: Timestamp(seconds: 100_000)).plan(
                declaration, record: FlowRecord(id: declaration.id), runs: [RecordedRun]())
        }
        return Plan(asOf: Timestamp(seconds: 100_000), target: target, manifests: [], flows: flows)
    }

    private func usage(_ runs: [RecordedRun] = []) -> RunUsage {
        var usage = RunUsage(at: Timestamp(seconds: 100_000))
        usage.add(runs, of: Self.id(0))
        return usage
    }

    private func counts(_ plan: Plan) -> [Int] { plan.flows.map(\.actions.count) }

    @Test("requests beyond the daily limit wait for the next day without an error")
    func day() {
        let limited = plan([120], runsPerDay: 90).limited(by: usage())
        #expect(counts(limited) == [90])
        #expect(limited.counts[.untilTomorrow] == 30)
        #expect(limited.flows.first?.held.first?.window.start == Timestamp(seconds: 900))
        #expect(
            limited.flows.first?.held.first?.reason == "over the limit of 90 runs a day; continues tomorrow (UTC)")
        #expect(limited.diagnostics.isEmpty && limited.hasPostponedRequests && !limited.waitsForRunningRuns)
    }

    @Test("runs count on the UTC day of their claim by the service's clock; rejected and released ones do not count")
    func usageOfDay() {
        let (day, next): (Int64, Int64) = (86_400, 172_800)
        func claimed(_ seconds: Int64) -> RecordedRun {
            var run = RecordedRun(0..<10, .accepted, at: 5)
            let time = Timestamp(seconds: seconds)
            run.claim = RunClaim(id: ClaimID("c")!, owner: "o", time: ServiceTime(earliest: time, latest: time))
            return run
        }
        let runs = [
            claimed(day - 1), claimed(day), claimed(next - 1), claimed(next), RecordedRun(0..<10, .failed, at: day),
            RecordedRun(0..<10, .rejected, at: day), RecordedRun(0..<10, .released, at: day),
            RecordedRun(0..<10, .inDoubt, at: day),
        ]
        #expect(usage(runs).onDay.total == 4)
        #expect(usage(runs).underWay == 5)
        #expect(counts(plan([10], runsPerDay: 6).limited(by: usage(runs))) == [2])
        #expect(counts(plan([10], runsPerDay: 3).limited(by: usage(runs))) == [0])
    }

    @Test("running runs reduce the number of requests under the limit")
    func running() {
        let usage = usage([RecordedRun(0..<10, .accepted), RecordedRun(10..<20, .succeeded)])
        let limited = plan([5], runsPerDay: 90, running: 3).limited(by: usage)
        #expect(counts(limited) == [2])
        #expect(limited.counts[.untilRunsEnd] == 3)
        #expect(limited.waitsForRunningRuns)
    }

    @Test("the reason of the limit on running runs names the oldest one, until it is acknowledged")
    func oldestRunning() {
        let runs = [RecordedRun(0..<10, .accepted, at: 300), RecordedRun(10..<20, .accepted, at: 200)]
        var usage = RunUsage(at: Timestamp(seconds: 100_000))
        usage.add(runs, of: Self.id(0))
        #expect(
            plan([5], running: 2).limited(by: usage).flows[0].held.first?.reason
                == "over the limit of 2 runs at a time; continues when runs end; the oldest is run 10--1 of flow "
                + "\(SampleFlow.id), made at 1970-01-01T00:03:20Z")
        var acknowledged = RunUsage(at: Timestamp(seconds: 100_000))
        acknowledged.add(runs, of: Self.id(0), acknowledged: [runs[1].id!])
        let limited = plan([5], running: 2).limited(by: acknowledged)
        #expect(counts(limited) == [1])
        #expect(limited.flows[0].held.first?.reason.contains("the oldest is run 0--1") == true)
    }

    @Test("a flow's own limit leaves the rest of the budget to other flows")
    func ofFlow() {
        let limited = plan([10, 10], runsPerDay: 9, ofFlow: 5).limited(
            by: usage([RecordedRun(0..<10, .failed, at: 90_000)]))
        #expect(counts(limited) == [4, 4])
        #expect(limited.flows[0].held.first?.reason.contains("the flow's limit of 5 runs a day") == true)
    }

    @Test(
        "flows of one priority share the budget evenly, and flows of a higher one come first",
        arguments: [
            ([100, 100, 4], [], [43, 43, 4]), ([3, 100, 100], [], [3, 44, 43]),
            ([100, 100, 100], [0, 9, 0], [0, 90, 0]),
            ([100, 50, 100], [0, 9, 0], [20, 50, 20]), ([0, 1, 2], [], [0, 1, 2]),
        ])
    func fair(windows: [Int], priorities: [Int], expected: [Int]) {
        let limited = plan(windows, runsPerDay: 90, priorities: priorities).limited(by: usage())
        // Sorted by flow, because priorities change the order of the plan.
        let counts = limited.flows.sorted { $0.id < $1.id }.map(\.actions.count)
        #expect(counts == expected)
    }

    @Test("daily applies request everything, each window once, and never exceed the limit", arguments: [1, 7, 90])
    func dayByDay(limit: Int) {
        var runs: [FlowID: [RecordedRun]] = [:]
        let declarations = (0..<3).map { index in
            FlowDeclaration(
                id: Self.id(index), manifest: "crm", target: "prod", source: .file,
                order: index == 1 ? .newestFirst : .oldestFirst, priority: index == 2 ? 1 : 0,
                series: [Series(every: 10, 0..<Int64(50 + index) * 10)],
                batch: index == 0 ? .fixed(.seconds(35)) : nil, place: SampleFlow.place)
        }
        var (days, requested) = (0, 0)
        while days < 400 {
            let now = Timestamp(seconds: 100_000 + Int64(days) * 86_400)
            var usage = RunUsage(at: now)
            for (flow, runs) in runs { usage.add(runs, of: flow) }
            #expect(usage.onDay.total == 0)
            let flows = declarations.map { declaration in
                let known = (runs[declaration.id] ?? []).sorted(by: RecordedRun.isBefore)
                return Planner(asOf: now).plan(declaration, record: FlowRecord(id: declaration.id), runs: known)
            }
            let whole = plan([], runsPerDay: limit)
            let limited = Plan(asOf: now, target: whole.target, manifests: [], flows: flows).limited(by: usage)
            if limited.requestCount == 0 { break }
            #expect(limited.requestCount <= limit)
            for flow in limited.flows {
                requested += flow.actions.reduce(0) { $0 + $1.windowCount }
                runs[flow.id, default: []] += flow.actions.map {
                    RecordedRun($0.window.range, .succeeded, at: now.seconds, of: flow.id)
                }
            }
            days += 1
        }
        #expect(requested == 50 + 51 + 52)
        #expect(days == ((50 + 2) / 3 + 51 + 52 + limit - 1) / limit)
        let ranges = runs.values.flatMap(\.self).map(\.identity)
        #expect(Set(ranges).count == ranges.count)
    }
}
