import AsyncHTTPClient
import FlowRuns
import FlowServiceSimulator
import Testing

@testable import FlowService
@testable import HTTPFlowService

/// A recorded conversation between the real client and the real simulator, through a proxy.
struct Conversation: Sendable {
    let time: TestTime
    let simulator: RunningSimulator
    let proxy: RecordingProxy
    let service: HTTPFlowService

    /// Records a conversation.
    ///
    /// - Parameter client: The client to sign in with. If set, the simulator accepts only tokens of this client.
    /// - Returns: The exchanges during `talk`.
    static func record(
        _ sandbox: SandboxConfiguration = SandboxConfiguration(), client: SignIn.Client? = nil, faults: [Fault] = [],
        pageLimit: Int = 100, _ talk: (Conversation) async throws -> Void
    ) async throws -> [Exchange] {
        let time = TestTime(at: TestTime.tutorial)
        let simulator = try await FlowServiceSimulator.start(
            FlowServiceSimulator.Configuration(
                flows: SampleFlows.all, sandbox: sandbox, signIn: SignIn(client: client), faults: faults,
                now: { time.now() }))
        let proxy = try await RecordingProxy(to: simulator.baseURL)
        var options = HTTPFlowService.Options.quick
        options.pageLimit = pageLimit
        options.time = time
        let credentials = client.map {
            Credentials.clientCredentials(
                ClientCredentials(
                    id: $0.id, secret: $0.secret, scopes: "openid, AdobeID",
                    tokenAddress: proxy.address + "/ims/token/v3"))
        }
        let service = try HTTPFlowService(
            address: proxy.address + RecordingProxy.base, organization: "1234@AdobeOrg", sandbox: "prod",
            credentials: credentials ?? bearer, options: options, logger: .quiet)
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await talk(Conversation(time: time, simulator: simulator, proxy: proxy, service: service)))
        } catch {
            result = .failure(error)
        }
        await service.close()
        await proxy.stop()
        await simulator.stop()
        try result.get()
        return proxy.exchanges
    }

    /// Requests a run with `POST /runs`.
    @discardableResult
    func request(
        _ flow: FlowID, _ window: Window = Tutorial.window, column: DeltaColumn? = nil, form: WireForm = WireForm()
    ) async throws -> RunID {
        let request = RunRequest(flow: flow, window: window, deltaColumn: column)
        let answer = await service.createRun(request.body(form, sentAt: time.now()), sendBefore: .later)
        guard case .accepted(let run, _) = answer else { throw NotTaken(answer: answer) }
        return run
    }

    struct NotTaken: Error {
        let answer: RunAnswer
    }
}

/// Flows of every kind that the API documentation distinguishes.
enum SampleFlows {
    static let table = Tutorial.flow
    static let dated = FlowID("4abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let file = FlowID("5abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    /// A flow with the specification of the tutorial on database sources.
    static let database = FlowID("6abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let daily = FlowID("7abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let unknown = FlowID("00000000-7e36-4be1-bec1-d3bad0e3e0de")!

    static let column = DeltaColumn(name: "changed", dateFormat: "yyyy-MM-dd HH:mm:ss", timezone: "UTC")

    static let all = [
        SimulatedFlow(id: table, name: "contacts", source: .table),
        SimulatedFlow(id: dated, name: "orders", source: .table),
        SimulatedFlow(id: file, name: "uploads", source: .file),
        SimulatedFlow(
            id: database, name: "accounts", source: .table, specification: .standard(.table, times: .integer)),
        SimulatedFlow(id: daily, name: "visits", source: .table, frequency: "day", deltaColumn: column),
    ]
}

// MARK: - Conversations

extension Conversation {
    /// Records every kind of request of the client, with every kind of answer of the simulator.
    static func all() async throws -> [Exchange] {
        try await signIn() + requests() + ends() + retriggers() + pages() + catalogue() + refusals()
    }

    private static func signIn() async throws -> [Exchange] {
        let exchanges = try await record(client: SignIn.Client(id: "client-id-1", secret: "p&ss+word =")) { talk in
            try await talk.request(SampleFlows.file)
            talk.time.advance(.seconds(86_399))
            try await talk.request(SampleFlows.file)
        }
        #expect(exchanges.map(\.endpoint) == ["POST /ims/token/v3", "POST /runs", "POST /ims/token/v3", "POST /runs"])
        return exchanges
    }

    /// Records requests in all wire forms, and answers in all shapes.
    private static func requests() async throws -> [Exchange] {
        let forms: [(flow: FlowID, column: DeltaColumn?, form: WireForm)] = [
            (SampleFlows.table, DeltaColumn(name: "DOB"), WireForm()), (SampleFlows.file, nil, WireForm()),
            (SampleFlows.table, nil, WireForm(times: .integer)),
            (SampleFlows.table, nil, WireForm(times: .milliseconds)),
            (SampleFlows.dated, SampleFlows.column, WireForm(startTime: .now)),
            (SampleFlows.file, nil, WireForm(times: .integer, startTime: .now)),
            (SampleFlows.file, nil, WireForm(times: .milliseconds, startTime: .now)),
            (SampleFlows.database, DeltaColumn(name: "id"), WireForm(times: .integer, startTime: .now)),
        ]
        var exchanges: [Exchange] = []
        for shape in RunAnswerShape.allCases {
            exchanges += try await record(SandboxConfiguration(answerShape: shape)) { talk in
                var runs: [RunID] = []
                for (number, asked) in forms.enumerated() {
                    let start = 1_651_584_991 + Int64(number) * 3600
                    let window = try #require(Window(startSeconds: start, endSeconds: start + 3600))
                    let run = try await talk.request(asked.flow, window, column: asked.column, form: asked.form)
                    let observed = try await talk.service.run(run)
                    #expect(observed?.window == window)
                    #expect(observed?.status == "scheduled")
                    runs.append(run)
                }
                let found = try await talk.service.runs(ids: runs)
                #expect(found.map(\.run.id) == runs)
                // The first run has set the flow's delta column.
                let flow = try await talk.service.flow(SampleFlows.table)
                #expect(flow?.deltaColumn == DeltaColumn(name: "DOB"))
            }
        }
        return exchanges
    }

    /// Records runs in all stages, with all outcomes, and with windows in both places.
    private static func ends() async throws -> [Exchange] {
        let ends: [(outcomes: OutcomeRates, status: String, state: RunState)] = [
            (OutcomeRates(), "success", .succeeded), (OutcomeRates(partial: 1), "success", .partial),
            (OutcomeRates(failed: 1), "failed", .failed), (OutcomeRates(empty: 1), "success", .succeeded),
        ]
        var exchanges: [Exchange] = []
        for listed in [ListedWindows.parameters, .copyActivity] {
            for end in ends {
                let sandbox = SandboxConfiguration(outcomes: end.outcomes, listedWindows: listed)
                exchanges += try await record(sandbox) { talk in
                    let run = try await talk.request(SampleFlows.table, column: DeltaColumn(name: "DOB"))
                    for (wait, status) in [(0, "scheduled"), (2, "inProgress"), (5, end.status)] {
                        talk.time.advance(.seconds(wait))
                        let observed = try #require(try await talk.service.run(run))
                        #expect(observed.status == status)
                        let isKnown = listed == .parameters || status != "scheduled"
                        #expect(observed.window == (isKnown ? Tutorial.window : nil))
                        let runs = try await talk.service.runs(of: SampleFlows.table)
                        #expect(runs == [observed])
                        #expect(observed.end?.state == (status == end.status ? end.state : nil))
                    }
                    _ = try await talk.service.flows()
                }
            }
        }
        return exchanges
    }

    private static func retriggers() async throws -> [Exchange] {
        var exchanges: [Exchange] = []
        for (outcomes, kind) in [
            (OutcomeRates(failed: 1), "accepted"), (OutcomeRates(empty: 1), "accepted"), (OutcomeRates(), "refused"),
        ] {
            exchanges += try await record(SandboxConfiguration(outcomes: outcomes)) { talk in
                let run = try await talk.request(SampleFlows.file)
                talk.time.advance(.seconds(7))
                let answer = await talk.service.retrigger(run, sendBefore: .later)
                #expect(answer.kind == kind)
                guard case .accepted(let fresh, _) = answer else { return }
                #expect(fresh != run)
                let observed = try await talk.service.run(fresh)
                #expect(observed?.window == Tutorial.window)
            }
        }
        return exchanges
    }

    private static func pages() async throws -> [Exchange] {
        let runs = (0..<10).map { number in
            let start = 1_651_584_991 - Int64(number) * 3600
            return ForeignRun(
                flow: number % 2 == 0 ? SampleFlows.file : SampleFlows.table,
                window: Window(startSeconds: start - 3600, endSeconds: start),
                createdAt: TestTime.tutorial - .seconds(number * 7 % 10 * 60))
        }
        return try await record(pageLimit: 2) { talk in
            try await talk.simulator.add(runs: runs)
            let listed = try await talk.service.runs(of: SampleFlows.file)
            #expect(listed.count == 5)
            var (paging, newest) = (Paging("/runs"), [Timestamp]())
            while true {
                let page = try await talk.service.runs(of: SampleFlows.file, newestFirst: true, after: paging.next)
                newest += page.items.map(\.createdAt)
                if try !paging.advance(after: page, newItems: page.items.count) { break }
            }
            #expect(newest.count == 5)
            #expect(newest == newest.sorted(by: >))
            let flows = try await talk.service.flows()
            #expect(flows.map(\.id) == SampleFlows.all.map(\.id))
            #expect(talk.proxy.exchanges.count == 9)
        }
    }

    private static func catalogue() async throws -> [Exchange] {
        try await record { talk in
            for flow in SampleFlows.all {
                let found = try await talk.service.flow(flow.id)
                #expect(found?.frequency == flow.frequency)
                #expect(found?.deltaColumn == flow.deltaColumn)
                #expect(found?.specification == flow.specification.id)
                let specification = try await talk.service.runSpecification(flow.specification.id)
                #expect(specification?.required.isSuperset(of: ["windowStartTime", "windowEndTime"]) == true)
            }
        }
    }

    private static func refusals() async throws -> [Exchange] {
        let faults = [
            Fault(.status(429, .seconds(.seconds(2))), only: 1), Fault(.status(503, nil), only: 2),
            Fault(.status(429, nil), scope: .getRuns, only: 1),
            Fault(.status(503, .date(.seconds(2))), scope: .getRuns, only: 2),
        ]
        let exchanges = try await record(faults: faults) { talk in
            let throttled = await talk.service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(throttled == .throttled(retryAfter: .seconds(2)))
            let unavailable = await talk.service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(unavailable.kind == "unknown")
            try await talk.request(SampleFlows.table, column: DeltaColumn(name: "DOB"))
            for (flow, column) in [
                (SampleFlows.table, DeltaColumn(name: "EMAIL")), (SampleFlows.unknown, nil), (SampleFlows.daily, nil),
            ] {
                let request = RunRequest(flow: flow, window: Tutorial.window, deltaColumn: column)
                let answer = await talk.service.createRun(request.body(WireForm(), sentAt: nil), sendBefore: .later)
                #expect(answer.kind == "refused")
            }
            let runs = try await talk.service.runs(of: SampleFlows.table)
            #expect(runs.count == 1)
            let run = try await talk.service.run(Tutorial.run)
            #expect(run == nil)
            let flow = try await talk.service.flow(SampleFlows.unknown)
            #expect(flow == nil)
            let specification = try await talk.service.runSpecification("none")
            #expect(specification == nil)
        }
        #expect(exchanges.map(\.status) == [429, 503, 201, 400, 404, 400, 429, 503, 200, 404, 404, 404])
        return exchanges
    }
}
