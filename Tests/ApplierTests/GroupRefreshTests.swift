import FlowRuns
import FlowService
import FlowServiceSimulator
import HTTPFlowService
import Ledger
import Logging
import Manifests
import Synchronization
import Testing
import Text

@testable import Applier

/// The real client against the real simulator, which counts the calls.
@Suite("Refreshing several flows in one call")
struct GroupRefreshTests {
    private static let hour = Duration.seconds(3_600)

    @Test(
        "200 flows need 4 calls for the flows, and 4 for the runs if nothing is new, 8 with one new run each")
    func twoHundred() async throws {
        try await refreshing(flows: 200) { sandbox in
            try await sandbox.addRun(toEach: 3, every: Self.hour * 2)
            sandbox.clock.advance(Self.hour * 2)
            #expect(
                try await sandbox.callsOfRefresh() == ["GET /flows": 4, "GET /flowSpecs/{id}": 1, "GET /runs": 200])
            for (new, pages) in [(0, 4), (1, 8), (0, 8)] {
                try await sandbox.addRun(toEach: new)
                sandbox.clock.advance(.seconds(60))
                let calls = try await sandbox.callsOfRefresh()
                #expect(calls == ["GET /flows": 4, "GET /flowSpecs/{id}": 1, "GET /runs": pages])
            }
            #expect(try await sandbox.entries.allSatisfy { $0.count == 4 })
            #expect(try await sandbox.callsOfRefresh(readsAll: true)["GET /runs"] == 200)
        }
    }

    @Test("running runs that are no longer listed are requested by ID, for many flows together")
    func underWay() async throws {
        try await refreshing(flows: 100) { sandbox in
            let start = sandbox.clock.now() + .seconds(86_400)
            try await sandbox.addRun(toEach: 1, startTime: start)
            sandbox.clock.advance(Self.hour)
            try await sandbox.addRun(toEach: 2, every: Self.hour)
            sandbox.clock.advance(Self.hour)
            _ = try await sandbox.callsOfRefresh()
            #expect(try await sandbox.underWay == 100)
            // Two listings, and a call for the IDs of each.
            #expect(try await sandbox.callsOfRefresh()["GET /runs"] == 4)
            sandbox.clock.advance(.seconds(86_400))
            let calls = try await sandbox.callsOfRefresh()
            #expect(calls["GET /runs"] == 4)
            #expect(calls["GET /runs/{id}"] == nil)
            #expect(try await sandbox.underWay == 0)
        }
    }

    @Test(
        "a service without support for several values costs one call more than reading flow by flow",
        arguments: [SeveralValuesMeaning.first, .literal, .refused])
    func notUnderstood(meaning: SeveralValuesMeaning) async throws {
        try await refreshing(flows: 60, SandboxConfiguration(severalValues: meaning)) { sandbox in
            try await sandbox.addRun(toEach: 2, every: Self.hour)
            sandbox.clock.advance(Self.hour)
            for _ in 0..<2 {
                let calls = try await sandbox.callsOfRefresh()
                #expect(calls["GET /flows"] == 1)
                #expect((59...60).contains(calls["GET /flows/{id}"] ?? 0))
                #expect((60...61).contains(calls["GET /runs"] ?? 0))
            }
            #expect(try await sandbox.entries.allSatisfy { $0.count == 2 })
        }
    }

    @Test("a flow missing from the listing of several is requested alone, and only it is absent")
    func absent() async throws {
        try await refreshing(flows: 10, declared: 11) { sandbox in
            let results = await sandbox.refresh()
            #expect(results.map { $0.end == .absent } == Array(repeating: false, count: 10) + [true])
            let calls = try await sandbox.calls()
            #expect(calls == ["GET /flows": 1, "GET /flows/{id}": 1, "GET /flowSpecs/{id}": 1, "GET /runs": 10])
        }
    }

    @Test("a listing that would reach far back is abandoned for single reads, and the next refresh is cheap again")
    func givenUp() async throws {
        try await refreshing(flows: 40, SandboxConfiguration(pageSize: 50)) { sandbox in
            try await sandbox.addRun(toEach: 1)
            sandbox.clock.advance(Self.hour)
            _ = try await sandbox.callsOfRefresh()
            try await sandbox.addRun(toEach: 40, every: Self.hour * 2)
            sandbox.clock.advance(Self.hour)
            #expect(try await sandbox.callsOfRefresh()["GET /runs"] == 10 + 40)
            #expect(try await sandbox.callsOfRefresh()["GET /runs"] == 1)
            #expect(try await sandbox.entries.allSatisfy { $0.count == 41 })
        }
    }

    @Test("a group refresh results in the same ledger as reading flow by flow", arguments: 0..<8)
    func sameLedger(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var configuration = SandboxConfiguration(
            outcomes: OutcomeRates(failed: 0.2, partial: 0.1, empty: 0.1),
            pageSize: [3, 10, 100].randomElement(using: &random)!,
            paging: Paging.allCases.randomElement(using: &random)!,
            severalValues: SeveralValuesMeaning.allCases.randomElement(using: &random)!)
        let flows = Int.random(in: 2...70, using: &random)
        let drawn = random
        var ledgers: [[[LedgerEntry]]] = []
        for meaning in [configuration.severalValues, .refused] {
            random = drawn
            configuration.severalValues = meaning
            try await refreshing(flows: flows, configuration) { sandbox in
                for _ in 0..<4 {
                    let most = random.happens(0.2) ? 0 : 3
                    try await sandbox.add { flow in
                        (0..<Int.random(in: 0...most, using: &random)).map { _ in
                            let isLater = random.happens(0.1)
                            return ForeignRun(
                                flow: flow,
                                window: Window(startSeconds: 0, endSeconds: .random(in: 1...100, using: &random)),
                                createdAt: sandbox.clock.now() - .seconds(Int.random(in: 0...100, using: &random)),
                                startTime: isLater ? sandbox.clock.now() + Self.hour * 5 : nil,
                                outcome: SimulatedOutcome.allCases.randomElement(using: &random)!)
                        }
                    }
                    sandbox.clock.advance(.seconds(Int.random(in: 1...20_000, using: &random)))
                    let results = await sandbox.refresh()
                    #expect(results.allSatisfy { if case .read = $0.end { true } else { false } })
                }
                ledgers.append(try await sandbox.entries)
            }
        }
        #expect(ledgers[0] == ledgers[1])
        #expect(ledgers[0].contains { !$0.isEmpty })
    }
}

// MARK: - The sandbox

private func refreshing(
    flows: Int, declared: Int? = nil, _ configuration: SandboxConfiguration = SandboxConfiguration(),
    _ use: (RefreshedSandbox) async throws -> Void
) async throws {
    let ids = (0..<(declared ?? flows)).map { number in
        let digits = String(number)
        return FlowID("00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits)!
    }
    let clock = HandClock()
    let simulator = try await FlowServiceSimulator.start(
        FlowServiceSimulator.Configuration(
            flows: ids.prefix(flows).map { SimulatedFlow(id: $0, source: .file) }, sandbox: configuration,
            now: { clock.now() }))
    var options = HTTPFlowService.Options(version: "test")
    options.requestsPerSecond = 1e9
    options.time = clock
    let service = try HTTPFlowService(
        address: simulator.baseURL, organization: "1234@AdobeOrg", sandbox: "prod", credentials: .none,
        options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let result: Result<Void, any Error>
    do {
        result = .success(
            try await use(RefreshedSandbox(flows: ids, clock: clock, simulator: simulator, service: service)))
    } catch { result = .failure(error) }
    await service.close()
    await simulator.stop()
    try result.get()
}

private struct RefreshedSandbox {
    let flows: [FlowID]
    let clock: HandClock
    let simulator: RunningSimulator
    let service: HTTPFlowService
    private let store = InMemoryStore()

    init(flows: [FlowID], clock: HandClock, simulator: RunningSimulator, service: HTTPFlowService) {
        self.flows = flows
        self.clock = clock
        self.simulator = simulator
        self.service = service
    }

    func refresh(readsAll: Bool = false) async -> [Refresh.Result] {
        let context = ApplierContext(store: store, service: service, limits: Limits(), time: clock)
        let declarations = flows.map { flow in
            FlowDeclaration(
                id: flow, manifest: "m", target: "t", source: .file, place: Place(file: "m.yaml", line: 1, column: 1))
        }
        return await Refresh(context: context, wireForm: WireForm()).run(declarations, readsAll: readsAll)
    }

    func calls() async throws -> [String: Int] { try await simulator.statistics().requests }

    /// Counts the calls of one refresh.
    func callsOfRefresh(readsAll: Bool = false) async throws -> [String: Int] {
        let before = try await calls()
        let results = await refresh(readsAll: readsAll)
        #expect(results.allSatisfy { if case .read = $0.end { true } else { false } })
        return try await calls().merging(before) { $0 - $1 }.filter { $0.value > 0 }
    }

    func add(_ runs: (FlowID) -> [ForeignRun]) async throws {
        try await simulator.add(runs: flows.flatMap(runs).sorted { $0.createdAt < $1.createdAt })
    }

    /// Adds `count` runs to each flow, with a time span between them.
    func addRun(toEach count: Int, every span: Duration = .zero, startTime: Timestamp? = nil) async throws {
        for number in 0..<count {
            if number > 0 { clock.advance(span) }
            let window = Window(start: clock.now(), end: clock.now() + .seconds(60))
            try await add { [ForeignRun(flow: $0, window: window, createdAt: clock.now(), startTime: startTime)] }
        }
    }

    var entries: [[LedgerEntry]] {
        get async throws {
            var all: [[LedgerEntry]] = []
            for flow in flows { all.append(try await store.entries(of: flow).entries) }
            return all
        }
    }

    /// The number of runs without a final state in the ledger.
    var underWay: Int {
        get async throws { try await entries.joined().count { $0.run.state == .accepted } }
    }
}

/// A clock that advances only explicitly.
private final class HandClock: TimeSource {
    private static let start = Timestamp(seconds: 1_700_000_000)
    private let time = Mutex(start)
    private let origin = MonotonicInstant.now

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    func now() -> Timestamp { time.withLock(\.self) }
    func monotonic() -> MonotonicInstant { origin + (now() - Self.start) }
    func sleep(_ duration: Duration) async {}
}
