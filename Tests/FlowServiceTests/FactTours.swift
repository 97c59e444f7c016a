import FlowRuns
import FlowServiceSimulator
import RunRequests
import Testing

@testable import FlowService

/// A way through the endpoints. Together they go everywhere that the client, or the facts, can go.
enum FactTour: String, CaseIterable, CustomTestStringConvertible {
    case signingIn = "signing in"
    case requests = "requests in all forms, and answers in all shapes"
    case stages = "runs in all stages, with all ends"
    case retriggers = "runs that are tried again"
    case pages = "lists over several pages"
    case catalogue = "flows and their specifications"
    case refusals = "refusals, throttling and faults"

    var testDescription: String { rawValue }

    /// What was said on the way.
    func exchanges() async throws -> [Exchange] {
        switch self {
        case .signingIn: return try await signIn()
        case .requests: return try await request()
        case .stages: return try await passStages()
        case .retriggers: return try await retrigger()
        case .pages: return try await turnPages()
        case .catalogue: return try await readCatalogue()
        case .refusals: return try await refuse()
        }
    }

    static func everything() async throws -> [Exchange] {
        var exchanges: [Exchange] = []
        for tour in allCases { exchanges += try await tour.exchanges() }
        return exchanges
    }
}

// MARK: - Requests

extension FactTour {
    private func signIn() async throws -> [Exchange] {
        let client = SignIn.Client(id: "client-id-1", secret: "p&ss+word =")
        let exchanges = try await FactsWorld.exchanges(.init(client: client)) { world in
            try await world.ask(SampleFlows.file)
            world.clock.advance(.seconds(86_399))
            try await world.ask(SampleFlows.file)
        }
        let paths = ["/ims/token/v3", "\(Facts.base)/runs"]
        #expect(exchanges.map(\.path) == paths + paths)
        let form = """
            grant_type=client_credentials&client_id=client-id-1&client_secret=p%26ss%2Bword%20%3D\
            &scope=openid%2CAdobeID
            """
        #expect(exchanges.first?.body == form)
        #expect(exchanges.last?.headers["x-api-key"] == "client-id-1")
        return exchanges
    }

    /// What is asked for after the tutorial's own two requests: no two windows are the same.
    private static let forms: [(flow: FlowID, column: DeltaColumn?, form: WireForm)] = [
        (SampleFlows.table, nil, WireForm()),
        (SampleFlows.table, nil, WireForm(times: .integer)),
        (SampleFlows.table, nil, WireForm(times: .milliseconds)),
        (SampleFlows.dated, SampleFlows.column, WireForm(startTime: .now)),
        (SampleFlows.file, nil, WireForm(times: .integer, startTime: .now)),
        (SampleFlows.file, nil, WireForm(times: .milliseconds, startTime: .now)),
        (SampleFlows.database, DeltaColumn(name: "id"), WireForm(times: .integer, startTime: .now)),
    ]

    private func request() async throws -> [Exchange] {
        var exchanges: [Exchange] = []
        for shape in RunAnswerShape.allCases {
            let settings = FactsWorld.Settings(sandbox: SandboxConfiguration(answerShape: shape))
            let more = try await FactsWorld.exchanges(settings) { world in
                try await world.ask(SampleFlows.table, column: DeltaColumn(name: "DOB"))
                try await world.ask(SampleFlows.file)
                expectTutorialRequests(world.proxy.exchanges.map(\.body))
                for (number, asked) in Self.forms.enumerated() {
                    let start = 1_651_584_991 + Int64(number) * 3600
                    let window = try #require(Window(startSeconds: start, endSeconds: start + 3600))
                    let run = try await world.ask(asked.flow, window, column: asked.column, form: asked.form)
                    let observed = try await world.service.run(run)
                    #expect(observed?.window == window)
                    #expect(observed?.status == "scheduled")
                }
                for flow in [SampleFlows.table, SampleFlows.dated, SampleFlows.file, SampleFlows.database] {
                    let runs = try await world.service.runs(of: flow)
                    #expect(!runs.isEmpty)
                }
                let slashed = try await world.send("POST", "/runs/", body: Tutorial.fileRequest)
                #expect(slashed.status == 201)
                // The column of the first run is the flow's from now on.
                let flow = try await world.service.flow(SampleFlows.table)
                #expect(flow?.deltaColumn == DeltaColumn(name: "DOB"))
            }
            exchanges += more
        }
        return exchanges
    }

    /// The samples of [T]. The second is said to be the first without its delta column; only its flow is another here.
    private func expectTutorialRequests(_ bodies: [String]) {
        let table = #"""
            {"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":"1651584991",\#
            "windowEndTime":"16515859567","deltaColumn":{"name":"DOB"}}}
            """#
        let file = #"""
            {"flowId":"5abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":"1651584991",\#
            "windowEndTime":"16515859567"}}
            """#
        #expect(bodies == [table, file])
    }

    private func retrigger() async throws -> [Exchange] {
        var exchanges: [Exchange] = []
        for outcomes in [OutcomeRates(failed: 1), OutcomeRates(empty: 1)] {
            let settings = FactsWorld.Settings(sandbox: SandboxConfiguration(outcomes: outcomes))
            let more = try await FactsWorld.exchanges(settings) { world in
                let run = try await world.ask(SampleFlows.file)
                world.clock.advance(.seconds(7))
                let answer = await world.service.retrigger(run, sendBefore: .max)
                let fresh = try #require(answer.run)
                #expect(fresh != run)
                let observed = try await world.service.run(fresh)
                #expect(observed?.status == "scheduled")
                #expect(observed?.window == Tutorial.window)
                // As the OpenAPI document [O] writes it.
                let read = try await world.send("GET", "/runs/\(run)")
                let etag = try #require(try WireJSON(read.answer)["items"]?[0]?["etag"]?.string)
                let target = "/runs/\(run)/action?op=RE_TRIGGER"
                let again = try await world.send("POST", target, headers: ["If-Match": etag])
                #expect(again.status == 200)
            }
            exchanges += more
        }
        let whole = try await FactsWorld.exchanges { world in
            let run = try await world.ask(SampleFlows.file)
            world.clock.advance(.seconds(7))
            let answer = await world.service.retrigger(run, sendBefore: .max)
            #expect(answer.kind == "refused")
        }
        return exchanges + whole
    }
}

// MARK: - Questions

extension FactTour {
    private func passStages() async throws -> [Exchange] {
        let ends: [(outcomes: OutcomeRates, status: String, state: RunState)] = [
            (OutcomeRates(), "success", .succeeded), (OutcomeRates(partial: 1), "success", .partial),
            (OutcomeRates(failed: 1), "failed", .failed), (OutcomeRates(empty: 1), "success", .succeeded),
        ]
        var exchanges: [Exchange] = []
        for listed in [ListedWindows.parameters, .copyActivity] {
            for end in ends {
                let sandbox = SandboxConfiguration(listedWindows: listed, outcomes: end.outcomes)
                let more = try await FactsWorld.exchanges(.init(sandbox: sandbox)) { world in
                    let run = try await world.ask(SampleFlows.table, column: DeltaColumn(name: "DOB"))
                    var last: RunState?
                    for (time, status) in [(0, "scheduled"), (2000, "inProgress"), (5000, end.status)] {
                        world.clock.advance(.milliseconds(time))
                        let read = try await world.service.run(run)
                        let observed = try #require(read)
                        #expect(observed.status == status)
                        let isKnown = listed == .parameters || status != "scheduled"
                        #expect(observed.window == (isKnown ? Tutorial.window : nil))
                        let runs = try await world.service.runs(of: SampleFlows.table)
                        #expect(runs == [observed])
                        _ = try await world.service.flows()
                        _ = try await world.service.flow(SampleFlows.table)
                        last = observed.end?.state
                    }
                    #expect(last == end.state)
                }
                exchanges += more
            }
        }
        return exchanges
    }

    private func turnPages() async throws -> [Exchange] {
        var runs: [ForeignRun] = []
        for number in 0..<10 {
            let start = 1_651_584_991 - Int64(number) * 3600
            runs.append(
                ForeignRun(
                    flow: number % 2 == 0 ? SampleFlows.file : SampleFlows.table,
                    window: Window(startSeconds: start - 3600, endSeconds: start),
                    createdAt: TurnedClock.start - .seconds(number * 7 % 10 * 60)))
        }
        return try await FactsWorld.exchanges(.init(pageLimit: 2)) { world in
            try await world.simulator.add(runs: runs)
            var turned = 0
            func pages() -> [Exchange] {
                defer { turned = world.proxy.exchanges.count }
                return Array(world.proxy.exchanges.dropFirst(turned))
            }
            let property = "property=flowId==\(SampleFlows.file)"
            let listed = try await world.service.runs(of: SampleFlows.file)
            #expect(listed.count == 5)
            try expectPages(pages(), count: 3, own: [property, "limit=2"])
            let newest = try await world.service.newestRuns(of: SampleFlows.file, until: { _ in false })
            let times = newest.map(\.createdAt)
            #expect(times.count == 5)
            #expect(times == times.sorted(by: >))
            try expectPages(pages(), count: 3, own: [property, "orderby=-createdAt", "limit=2"])
            let flows = try await world.service.flows()
            #expect(flows.map(\.id) == SampleFlows.all.map(\.id))
            try expectPages(pages(), count: 3, own: ["limit=2"])
            for target in ["/runs?\(property)&count=true", "/flows?count=true"] {
                let counted = try await world.send("GET", target)
                #expect(try WireJSON(counted.answer)["count"] == .number("5"))
            }
        }
    }

    /// Own filters go with each page's token; the last page has no link.
    private func expectPages(_ pages: [Exchange], count: Int, own: [String]) throws {
        #expect(pages.count == count)
        var token: String?
        for page in pages {
            let filters = page.query.filter { $0.name != "continuationToken" }
            #expect(filters.map { "\($0.name)=\($0.value)" } == own)
            let sent = page.query.first(where: { $0.name == "continuationToken" })?.value
            #expect(sent == token)
            let links = try #require(try WireJSON(page.answer)["_links"])
            let words = links["next"]?["href"]?.string?.split(separator: "=") ?? []
            token = words.last.map { String($0) }
            #expect(token != nil || links == .object([]))
        }
        #expect(token == nil)
    }

    private func readCatalogue() async throws -> [Exchange] {
        try await FactsWorld.exchanges { world in
            for flow in SampleFlows.all {
                let found = try await world.service.flow(flow.id)
                #expect(found?.frequency == flow.frequency)
                #expect(found?.deltaColumn == flow.deltaColumn)
                #expect(found?.specification == flow.specification.id)
                let specification = try await world.service.runSpecification(flow.specification.id)
                #expect(specification?.required.isSuperset(of: ["windowStartTime", "windowEndTime"]) == true)
            }
            let id = FlowSpecification.standard(.table, times: .integer).id
            let database = try await world.service.runSpecification(id)
            let types = [
                "startTime": "integer", "windowStartTime": "integer", "windowEndTime": "integer",
                "deltaColumn": "object",
            ]
            #expect(database == RunSpecification(types: types, required: Set(types.keys), requiredOfColumn: ["name"]))
            _ = try await world.service.flows()
        }
    }

    private func refuse() async throws -> [Exchange] {
        let client = SignIn.Client(id: "key-0123456789", secret: "secret")
        let strangers = try await FactsWorld.exchanges(.init(client: client, signsIn: false)) { world in
            let answer = await world.service.createRun(Tutorial.fileRequest, sendBefore: .max)
            #expect(answer.kind == "unauthorized")
            await #expect(throws: FlowServiceError.self) { try await world.service.flows() }
        }
        #expect(strangers.map(\.status) == [401, 401])
        let faults = [
            Fault(.status(429, .seconds(.seconds(2))), only: 1), Fault(.status(503, nil), only: 2),
            Fault(.status(429, nil), scope: .getRuns, only: 1),
            Fault(.status(503, .date(.seconds(2))), scope: .getRuns, only: 2),
        ]
        let refusals = try await FactsWorld.exchanges(.init(faults: faults)) { world in
            let throttled = await world.service.createRun(Tutorial.tableRequest, sendBefore: .max)
            #expect(throttled == .throttled(retryAfter: .seconds(2)))
            let unavailable = await world.service.createRun(Tutorial.tableRequest, sendBefore: .max)
            #expect(unavailable.kind == "unknown")
            try await world.ask(SampleFlows.table, column: DeltaColumn(name: "DOB"))
            let refused: [(FlowID, DeltaColumn?)] = [
                (SampleFlows.table, DeltaColumn(name: "EMAIL")), (SampleFlows.unknown, nil), (SampleFlows.daily, nil),
            ]
            for (flow, column) in refused {
                let request = RunRequest(flow: flow, window: Tutorial.window, deltaColumn: column)
                let answer = await world.service.createRun(request.body(WireForm(), sentAt: nil), sendBefore: .max)
                #expect(answer.kind == "refused")
            }
            let runs = try await world.service.runs(of: SampleFlows.table)
            #expect(runs.count == 1)
            let run = try await world.service.run(Tutorial.run)
            #expect(run == nil)
            let flow = try await world.service.flow(SampleFlows.unknown)
            #expect(flow == nil)
            let specification = try await world.service.runSpecification("none")
            #expect(specification == nil)
        }
        #expect(refusals.map(\.status) == [429, 503, 201, 400, 404, 400, 429, 503, 200, 404, 404, 404])
        return strangers + refusals
    }
}
