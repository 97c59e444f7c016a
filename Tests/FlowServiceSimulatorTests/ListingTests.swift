import FlowRuns
import Foundation
import Testing
import Text

@testable import FlowServiceSimulator

@Suite("Lists of runs and flows")
struct ListingTests {
    private let end = Timestamp(milliseconds: 9_000_000)

    private func sandbox(_ configuration: SandboxConfiguration, runs: Int) throws -> SimulatedSandbox {
        var sandbox = SimulatedSandbox.tutorial(configuration)
        for number in 0..<runs {
            for flow in [TutorialSample.flowID, TutorialSample.fileFlowID] {
                let window = try #require(Window(startSeconds: Int64(number), endSeconds: Int64(number) + 1))
                // Not in order of creation, as runs made elsewhere may be.
                let createdAt = Timestamp(seconds: Int64((number * 7) % runs))
                sandbox.record(.run(sandbox.foreignRun(ForeignRun(flow: flow, window: window, createdAt: createdAt))))
            }
        }
        return sandbox
    }

    private func query(_ items: (String, String)...) throws -> ListQuery {
        try ListQuery(items.map { URLQueryItem(name: $0.0, value: $0.1) }, pageSize: 100)
    }

    private func list(_ sandbox: SimulatedSandbox, _ query: ListQuery) throws -> JSONValue {
        try json(sandbox.listRuns(query, at: end) { _, _ in true })
    }

    @Test("pages of a flow's runs give each once, in order, with the filter sent again beside the token")
    func pages() throws {
        var sandbox = try sandbox(SandboxConfiguration(), runs: 25)
        let filter = ("property", "flowId==\(TutorialSample.flowID)")
        var page = try list(sandbox, query(filter, ("limit", "10"), ("count", "true")))
        #expect(page["count"] == .integer(25))
        var seen = page["items"]?.array ?? []
        var pages = 1
        while let href = page["_links"]?["next"]?["href"]?.string {
            #expect(href.hasPrefix("/runs?continuationToken="))
            // A run that appears in between moves no page.
            sandbox.record(
                .run(
                    sandbox.foreignRun(
                        ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: end + .milliseconds(pages)))))
            let token = String(href.dropFirst("/runs?continuationToken=".count))
            page = try list(sandbox, query(filter, ("limit", "10"), ("continuationToken", token)))
            seen += page["items"]?.array ?? []
            pages += 1
        }
        #expect(pages == 3)
        #expect(seen.count == 25)
        #expect(Set(seen.compactMap { $0["id"]?.string }).count == 25)
        let times = seen.compactMap { $0["createdAt"]?.integer }
        #expect(times == times.sorted(by: >))
        #expect(seen.allSatisfy { $0["flowId"] == .string(TutorialSample.flowID.description) })
    }

    @Test("orderby turns the order round, and a token without its filter goes on over all flows")
    func orders() throws {
        let sandbox = try sandbox(SandboxConfiguration(pageSize: 5), runs: 6)
        let oldest = try list(sandbox, ListQuery([URLQueryItem(name: "orderby", value: "createdAt")], pageSize: 5))
        let times = (oldest["items"]?.array ?? []).compactMap { $0["createdAt"]?.integer }
        #expect(times.count == 5)
        #expect(times == times.sorted())
        let href = try #require(oldest["_links"]?["next"]?["href"]?.string)
        let token = String(href.split(separator: "=")[1])
        let next = try list(sandbox, query(("orderby", "createdAt"), ("continuationToken", token)))
        #expect(Set((next["items"]?.array ?? []).compactMap { $0["flowId"]?.string }).count == 2)
    }

    @Test(
        "a query that cannot be understood is 400",
        arguments: [
            ("limit", "0"), ("limit", "many"), ("orderby", "colour"), ("property", "name==x"),
            ("property", "flowId==x"), ("continuationToken", "x"), ("continuationToken", "p-1"),
        ])
    func badQueries(name: String, value: String) {
        #expect(throws: ServiceError.self) { try query((name, value)) }
    }

    @Test("a token of another list is 400, not the first page again")
    func foreignToken() throws {
        let sandbox = try sandbox(SandboxConfiguration(), runs: 2)
        let foreign = try query(("property", "flowId==\(TutorialSample.flowID)"), ("continuationToken", "pzz"))
        #expect(throws: ServiceError.badContinuation) { try list(sandbox, foreign) }
    }

    @Test("a run moves from scheduled over inProgress to its end as time passes, and shows the monitoring shape")
    func states() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let run = try sandbox.post(TutorialSample.request, at: Timestamp(milliseconds: 1000))
        let scheduled = try sandbox.item(run, at: Timestamp(milliseconds: 2999))
        #expect(scheduled["metrics"]?["statusSummary"]?["status"] == .string("scheduled"))
        #expect(scheduled["activities"] == .array([]))
        let running = try sandbox.item(run, at: Timestamp(milliseconds: 3000))
        #expect(running["metrics"]?["statusSummary"]?["status"] == .string("inProgress"))
        let ended = try sandbox.item(run, at: Timestamp(milliseconds: 8000))
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
        "a partial run says success beside errors and failed records; a failed one has its code; an empty one no records"
    )
    func outcomes() throws {
        func ended(_ outcome: SimulatedOutcome) throws -> JSONValue {
            var sandbox = SimulatedSandbox.tutorial()
            let run = sandbox.foreignRun(
                ForeignRun(
                    flow: TutorialSample.flowID, window: nil, createdAt: Timestamp(milliseconds: 0), outcome: outcome))
            sandbox.record(.run(run))
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

    @Test("rates decide how many runs end how, the same for the same seed")
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

    @Test("a listed run tells its window in params, only in the copy activity, or nowhere")
    func windows() throws {
        func item(_ windows: ListedWindows) throws -> JSONValue {
            var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(listedWindows: windows))
            let run = try sandbox.post(TutorialSample.request, at: Timestamp(milliseconds: 0))
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

    @Test("a flow shows its schedule, specification and, once a run brought it, its delta column and last run")
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
        try sandbox.post(TutorialSample.request, at: Timestamp(milliseconds: 0))
        let after = try flow()
        #expect(copy(after)?["params"]?["deltaColumn"] == .object(["name": .string("DOB")]))
        #expect(after["lastRunDetails"]?["state"] == .string("success"))
        #expect(after["etag"] != before["etag"])
    }

    @Test("the run specification of the database tutorial declares integers and lists all four as required")
    func specification() throws {
        var text = JSONText()
        text.object { FlowSpecification.standard(.table, times: .integer).write(to: &$0) }
        let spec = try #require(try json(text.text)["runSpec"]?["spec"])
        #expect(spec["properties"]?["windowStartTime"]?["type"] == .string("integer"))
        #expect(spec["properties"]?["deltaColumn"]?["required"] == .array([.string("name")]))
        #expect(
            Set(spec["required"]?.array?.compactMap(\.string) ?? [])
                == ["startTime", "windowStartTime", "windowEndTime", "deltaColumn"])
    }
}
