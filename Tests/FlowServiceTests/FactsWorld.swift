import AsyncHTTPClient
import FlowRuns
import FlowServiceSimulator
import NIOCore
import RunRequests
import Synchronization
import Testing

@testable import FlowService

/// The real client and the real simulator, with a proxy between them that writes down what they say to each other.
struct FactsWorld: Sendable {
    struct Settings: Sendable {
        var sandbox = SandboxConfiguration()
        /// Given, only its tokens are let in, and the client signs in by it.
        var client: SignIn.Client?
        /// Otherwise the client has a token that nobody gave it.
        var signsIn = true
        var faults: [Fault] = []
        var pageLimit = 100
    }

    let clock: TurnedClock
    let simulator: RunningSimulator
    let proxy: RecordingProxy
    let service: HTTPFlowService

    /// All that passed between them while `use` lasted.
    @discardableResult
    static func exchanges(
        _ settings: Settings = Settings(), _ use: (FactsWorld) async throws -> Void
    ) async throws -> [Exchange] {
        let clock = TurnedClock()
        let simulator = try await FlowServiceSimulator.start(
            FlowServiceSimulator.Configuration(
                flows: SampleFlows.all, sandbox: settings.sandbox, signIn: SignIn(client: settings.client),
                faults: settings.faults, now: { clock.now }))
        let proxy = try await RecordingProxy(to: simulator.baseURL)
        let service = try Self.service(over: proxy, settings, clock)
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await use(FactsWorld(clock: clock, simulator: simulator, proxy: proxy, service: service)))
        } catch {
            result = .failure(error)
        }
        await service.close()
        await proxy.stop()
        await simulator.stop()
        try result.get()
        return proxy.exchanges
    }

    private static func service(
        over proxy: RecordingProxy, _ settings: Settings, _ clock: TurnedClock
    ) throws -> HTTPFlowService {
        var options = HTTPFlowService.Options.quick
        options.pageLimit = settings.pageLimit
        var credentials = bearer
        if let client = settings.client, settings.signsIn {
            credentials = .clientCredentials(
                ClientCredentials(
                    id: client.id, secret: client.secret, scopes: "openid, AdobeID",
                    tokenAddress: proxy.address + "/ims/token/v3"))
        }
        return try HTTPFlowService(
            address: proxy.address + Facts.base, organization: "1234@AdobeOrg", sandbox: "prod",
            credentials: credentials, options: options, logger: .quiet, now: { clock.now })
    }
}

// MARK: - Asking

extension FactsWorld {
    /// A run that was to be taken, and was not.
    struct NotTaken: Error {
        let answer: RunAnswer
    }

    /// `POST /runs` by the client.
    @discardableResult
    func ask(
        _ flow: FlowID, _ window: Window = Tutorial.window, column: DeltaColumn? = nil, form: WireForm = WireForm()
    ) async throws -> RunID {
        let request = RunRequest(flow: flow, window: window, deltaColumn: column)
        let answer = await service.createRun(request.body(form, sentAt: clock.now), sendBefore: .max)
        guard case .accepted(let run, _) = answer else { throw NotTaken(answer: answer) }
        return run
    }

    /// A call as the facts know it, and the client has no use for.
    func send(
        _ method: String, _ target: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> Exchange {
        var request = HTTPClientRequest(url: proxy.address + Facts.base + target)
        request.method = .init(rawValue: method)
        let own = [
            "Authorization": "Bearer token-0123456789", "x-api-key": "key-0123456789",
            "x-gw-ims-org-id": "1234@AdobeOrg", "x-sandbox-name": "prod",
        ]
        for (name, value) in own.merging(headers, uniquingKeysWith: { $1 }) {
            request.headers.add(name: name, value: value)
        }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        // The shared client would ask for compression, of which the facts say nothing.
        let client = HTTPClient(configuration: .init())
        let response = try await client.execute(request, timeout: .seconds(30))
        _ = try await response.body.collect(upTo: 1 << 25)
        try await client.shutdown()
        return try #require(proxy.exchanges.last)
    }
}

extension RunAnswer {
    /// The run that it brought.
    var run: RunID? { if case .accepted(let run, _) = self { run } else { nil } }
}

/// One flow of each kind that the facts tell apart.
enum SampleFlows {
    static let table = Tutorial.flow
    static let dated = FlowID("4abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let file = FlowID("5abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    /// As the tutorial on database sources [S] specifies it.
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

/// Time that passes only when told, from the moment of the tutorial's answer.
final class TurnedClock: Sendable {
    static let start = Timestamp(milliseconds: 1_651_587_212_543)

    private let time = Mutex(TurnedClock.start)

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 += duration } }
}
