import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Lists of runs and flows")
struct ListingTests {
    private let end: Timestamp = 9_000_000

    private func sandbox(_ configuration: SandboxConfiguration, runs: Int) throws -> SimulatedSandbox {
        var sandbox = SimulatedSandbox.tutorial(configuration)
        for number in 0..<runs {
            for flow in [TutorialSample.flowID, TutorialSample.fileFlowID] {
                let window = try #require(Window(startSeconds: Int64(number), endSeconds: Int64(number) + 1))
                // Not in order of creation, since foreign runs may be added in any order.
                let createdAt = Timestamp(seconds: Int64((number * 7) % runs))
                sandbox.add(ForeignRun(flow: flow, window: window, createdAt: createdAt))
            }
        }
        return sandbox
    }

    private func query(_ items: (String, String)...) throws -> ListQuery {
        try ListQuery(items.map { URLQueryItem(name: $0.0, value: $0.1) })
    }

    @Test("pages contain each run of a flow once and in order if the filter is repeated with the token")
    func pages() throws {
        var sandbox = try sandbox(SandboxConfiguration(), runs: 25)
        let filter = ("property", "flowId==\(TutorialSample.flowID)")
        var page = try sandbox.runs(query(filter, ("limit", "10")), at: end)
        #expect(page.count == 25)
        var seen = page.items
        var pages = 1
        while let next = page.next {
            // A run that is added between two requests does not shift the pages.
            sandbox.add(ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: end))
            page = try sandbox.runs(query(filter, ("limit", "10"), ("continuationToken", next)), at: end)
            seen += page.items
            pages += 1
        }
        #expect(pages == 3)
        #expect(Set(seen.map(\.id)).count == 25)
        #expect(seen.map(\.createdAt) == seen.map(\.createdAt).sorted(by: >))
        #expect(seen.allSatisfy { $0.flow == TutorialSample.flowID })
    }

    @Test("with shifting pages, a run that moves to the next page is returned again")
    func shiftingPages() throws {
        var sandbox = try sandbox(SandboxConfiguration(paging: .shifting), runs: 4)
        let first = try sandbox.runs(ListQuery(flow: TutorialSample.flowID, limit: 2), at: end)
        sandbox.add(ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: end))
        let second = try sandbox.runs(ListQuery(flow: TutorialSample.flowID, limit: 2, after: first.next), at: end)
        #expect(second.items.first == first.items.last)
    }

    @Test(
        "a filter with several values matches any of them, or has the configured meaning",
        arguments: [(.any, 8, 2), (.first, 4, 1), (.literal, 0, 0), (.ignored, 8, 2), (.refused, nil, nil)]
            as [(SeveralValuesMeaning, Int?, Int?)])
    func severalValues(meaning: SeveralValuesMeaning, runs: Int?, flows: Int?) throws {
        let sandbox = try sandbox(SandboxConfiguration(severalValues: meaning), runs: 4)
        let ids = "\(TutorialSample.fileFlowID),\(TutorialSample.flowID)"
        let unknown = "00000000-7e36-4be1-bec1-d3bad0e3e0de"
        #expect((try? sandbox.runs(query(("property", "flowId==\(ids),\(unknown)")), at: end).count) == runs)
        #expect((try? sandbox.flows(query(("property", "id==\(ids),\(unknown)")), at: end).count) == flows)
        let newest = try? sandbox.runs(query(("property", "flowId==\(ids)"), ("limit", "3")), at: end).items
        #expect(newest.map { $0.map(\.createdAt) == $0.map(\.createdAt).sorted(by: >) } ?? true)
        let two = sandbox.runs.prefix(2).map(\.id).joined(separator: ",")
        let found = try? sandbox.runs(query(("property", "id==\(two)")), at: end).count
        #expect(found == (runs == 8 && meaning == .any ? 2 : meaning == .first ? 1 : runs))
        #expect(try sandbox.runs(query(("property", "flowId==\(TutorialSample.flowID)")), at: end).count == 4)
    }

    @Test("orderby reverses the order, and a token without its filter continues over all flows")
    func orders() throws {
        let sandbox = try sandbox(SandboxConfiguration(pageSize: 5), runs: 6)
        let oldest = try sandbox.runs(query(("orderby", "createdAt")), at: end)
        #expect(oldest.items.count == 5)
        #expect(oldest.items.map(\.createdAt) == oldest.items.map(\.createdAt).sorted())
        let next = try sandbox.runs(
            query(("orderby", "createdAt"), ("continuationToken", #require(oldest.next))), at: end)
        #expect(Set(next.items.map(\.flow)).count == 2)
        let byID = try sandbox.runs(query(("orderby", "-id")), at: end)
        #expect(byID.items.map(\.id) == sandbox.runs.map(\.id).sorted(by: >).prefix(5).map(\.self))
        #expect(try sandbox.flows(query(("orderby", "+name")), at: end).items.map(\.name) == ["contacts", "uploads"])
        #expect(try sandbox.flows(query(("orderby", "-name")), at: end).items.map(\.name) == ["uploads", "contacts"])
    }

    @Test(
        "an invalid query is answered 400",
        arguments: [
            ("limit", "0"), ("limit", "many"), ("orderby", "colour"), ("property", "name"), ("property", "==x"),
            ("property", "a..b==x"),
        ])
    func badQueries(name: String, value: String) {
        #expect(throws: ServiceError.self) { try query((name, value)) }
    }

    @Test("a token of another list is answered 400, not with the first page", arguments: ["x", "p-1", "pzz", "ozz"])
    func unknownToken(token: String) throws {
        let sandbox = try sandbox(SandboxConfiguration(), runs: 2)
        let query = try query(("property", "flowId==\(TutorialSample.flowID)"), ("continuationToken", token))
        #expect(throws: ServiceError.badContinuation) { try sandbox.runs(query, at: end) }
    }

    @Test("a run is scheduled, then in progress, then ended, in the format of the monitoring tutorial")
    func states() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let run = try sandbox.post(TutorialSample.request, at: 1000)
        let scheduled = try sandbox.item(run, at: 2999)
        #expect(scheduled["metrics"]?["statusSummary"]?["status"] == .string("scheduled"))
        #expect(scheduled["activities"] == .array([]))
        let running = try sandbox.item(run, at: 3000)
        #expect(running["metrics"]?["statusSummary"]?["status"] == .string("inProgress"))
        let ended = try sandbox.item(run, at: 8000)
        #expect(ended["metrics"]?["statusSummary"]?["status"] == .string("success"))
        #expect(
            ended["metrics"]?["durationSummary"]
                == .object([
                    "startedAtUTC": .integer(3000), "completedAtUTC": .integer(8000),
                ]))
        for summary in ["sizeSummary", "recordSummary", "fileSummary"] { #expect(ended["metrics"]?[summary] != nil) }
        #expect(
            ended["activities"]?.array?.map { $0["id"] } == [.string("copyActivity"), .string("promotionActivity")])
        #expect(
            ended["activities"]?.array?[0]["durationSummary"]?["extensions"]
                == .object([
                    "windowStart": .integer(1_651_584_991_000), "windowEnd": .integer(16_515_859_567_000),
                ]))
        #expect(Set([scheduled, running, ended].compactMap { $0["etag"] }).count == 3)
    }

    @Test(
        "partial runs are successes with errors and failed records, failed runs have a code, empty runs no records"
    )
    func outcomes() throws {
        func ended(_ outcome: SimulatedOutcome) throws -> JSONValue {
            var sandbox = SimulatedSandbox.tutorial()
            let run = sandbox.add(
                ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: 0, outcome: outcome))
            return try sandbox.item(run, at: end)
        }
        func metrics(_ outcome: SimulatedOutcome) throws -> JSONValue { try #require(try ended(outcome)["metrics"]) }
        let partial = try metrics(.partial)
        #expect(partial["statusSummary"]?["status"] == .string("success"))
        #expect(partial["statusSummary"]?["errors"]?.array?.first?["code"] == .string("CONNECTOR-2001-500"))
        let promotion = try ended(.partial)["activities"]?.array?.last?["statusSummary"]?["extensions"]
        #expect(promotion?["errors"]?.array?.first?["code"] == .string("MAPPER-3700-400"))
        #expect(partial["recordSummary"]?["failedRecordCount"]?.integer ?? 0 > 0)
        let failed = try metrics(.failed)
        #expect(failed["statusSummary"]?["status"] == .string("failed"))
        #expect(failed["statusSummary"]?["errors"]?.array?.first?["code"] == .string("CONNECTOR-2001-500"))
        let empty = try metrics(.empty)
        #expect(empty["statusSummary"]?["status"] == .string("success"))
        #expect(empty["statusSummary"]?["errors"] == nil)
        #expect(empty["recordSummary"]?["inputRecordCount"] == .integer(0))
    }

    @Test("the rates determine the outcomes, which are the same for the same seed")
    func rates() throws {
        let rates = OutcomeRates(failed: 0.2, partial: 0.3, empty: 0.1)
        var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(outcomes: rates))
        for start in 1...1000 {
            try sandbox.post(TutorialSample.body(flow: TutorialSample.fileFlowID, start: "\(start)"))
        }
        let counts = Dictionary(grouping: sandbox.runs, by: \.outcome).mapValues(\.count)
        #expect((150...250).contains(counts[.failed] ?? 0))
        #expect((250...350).contains(counts[.partial] ?? 0))
        #expect((60...140).contains(counts[.empty] ?? 0))
    }

    @Test("a listed run has its window in params, only in the copy activity, or not at all")
    func windows() throws {
        func item(_ windows: ListedWindows) throws -> JSONValue {
            var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(listedWindows: windows))
            let run = try sandbox.post(TutorialSample.request, at: 0)
            return try sandbox.item(run, at: end)
        }
        func extensions(_ run: JSONValue) -> JSONValue? {
            run["activities"]?.array?.first?["durationSummary"]?["extensions"]
        }
        let parameters = try item(.parameters)
        #expect(parameters["params"]?["windowStartTime"] == .string("1651584991"))
        let copy = try item(.copyActivity)
        #expect(copy["params"] == nil)
        #expect(extensions(copy)?["windowStart"] == .integer(1_651_584_991_000))
        let unknown = try item(.unknown)
        #expect(unknown["params"] == nil)
        #expect(extensions(unknown) == nil)
    }

    @Test("a run has a window only after the delay, and a client only if clients are included")
    func windowDelay() throws {
        var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(windowDelay: .seconds(100), listsClient: false))
        let run = try sandbox.post(TutorialSample.request, at: 0)
        let early = try sandbox.item(run, at: 99_999)
        #expect(early["params"] == nil)
        #expect(early["activities"]?.array?.first?["durationSummary"]?["extensions"] == nil)
        #expect(early["createdClient"] == nil)
        #expect(sandbox.listedWindow(of: run, at: 99_999) == nil)
        #expect(try sandbox.item(run, at: 100_000)["params"] != nil)
        #expect(sandbox.listedWindow(of: run, at: 100_000) == run.window)
    }

    @Test("a run that starts in the future is listed at once and scheduled until its start")
    func scheduledLater() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let body = TutorialSample.body(flow: TutorialSample.fileFlowID).replacing("}}", with: #","startTime":"500"}}"#)
        let run = try sandbox.post(body, at: 0)
        #expect(run.status(at: 501_999) == "scheduled")
        #expect(run.status(at: 502_000) == "inProgress")
        #expect(try sandbox.runs(ListQuery(flow: TutorialSample.fileFlowID), at: 0).items == [run])
    }

    @Test(
        "the last run in a flow is the newest, the newest ended one, one at least a minute old, or absent",
        arguments: [(.all, 2), (.ended, 1), (.late, 0), (.missing, nil)] as [(LastRunDetails, Int?)])
    func lastRun(mode: LastRunDetails, place: Int?) throws {
        var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(listingLag: .seconds(30), lastRunDetails: mode))
        for createdAt: Timestamp in [0, 50_000, 60_000] {
            sandbox.add(ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: createdAt))
        }
        let expected = place.map { sandbox.runs[$0].id }
        let flow = try json(sandbox.flowAnswer(TutorialSample.table, at: 60_001))
        #expect(flow["lastRunDetails"]?["id"]?.string == expected)
        #expect(try sandbox.runs(ListQuery(flow: TutorialSample.flowID), at: 60_001).items.count == 1)
    }

    @Test("a flow contains its schedule, its specification, its last run, and the delta column of its first run")
    func flow() throws {
        var sandbox = SimulatedSandbox.tutorial()
        func flow() throws -> JSONValue { try json(sandbox.flowAnswer(TutorialSample.table, at: end)) }
        func copy(_ flow: JSONValue) -> JSONValue? {
            flow["transformations"]?.array?.first { $0["name"] == .string("Copy") }
        }
        let before = try flow()
        #expect(before["scheduleParams"]?["frequency"] == .string("once"))
        #expect(before["scheduleParams"]?["interval"] == nil)
        #expect(before["flowSpec"]?["id"] == .string(FlowSpecification.standard(.table).id))
        #expect(copy(before) == nil)
        try sandbox.post(TutorialSample.request, at: 0)
        let after = try flow()
        #expect(copy(after)?["params"]?["deltaColumn"] == .object(["name": .string("DOB")]))
        #expect(after["lastRunDetails"]?["state"] == .string("success"))
        #expect(after["etag"] != before["etag"])
    }

    @Test("the run specification of the database tutorial declares integers and requires all four members")
    func specification() throws {
        let answer = FlowSpecification.standard(.table, times: .integer).answer
        let spec = try #require(try json(answer)["runSpec"]?["spec"])
        #expect(spec["properties"]?["windowStartTime"]?["type"] == .string("integer"))
        #expect(spec["properties"]?["deltaColumn"]?["required"] == .array([.string("name")]))
        #expect(
            Set(spec["required"]?.array?.compactMap(\.string) ?? [])
                == ["startTime", "windowStartTime", "windowEndTime", "deltaColumn"])
    }
}
