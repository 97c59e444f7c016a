import FlowRuns
import FlowService
import Ledger
import Manifests
import Planner
import Synchronization
import Testing

@testable import Applier

@Suite("Claims of several requests")
struct SeveralRequestsTests {
    private static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!

    private func apply(
        windows: Int, answers: [Int: ScriptedService.Answer] = [:], isCommitCostly: Bool = true,
        requestsPerSecond: Double = 1, duration: Duration = .zero, commitDuration: Duration = .zero
    ) async throws -> (outcome: ApplyOutcome, store: CountingStore, service: ScriptedService) {
        let time = InstantTime()
        let service = ScriptedService(time: time, answers: answers, duration: duration)
        let store = CountingStore(isCommitCostly: isCommitCostly, time: time, duration: commitDuration)
        var limits = Limits()
        limits.requestTimeout = .seconds(20)
        limits.requestsPerSecond = requestsPerSecond
        let place = Place(file: "flows.yaml", line: 1, column: 1)
        let declaration = FlowDeclaration(
            id: Self.flow, manifest: "m", target: "t", source: .file,
            windows: (0..<windows).map { number in
                let start = Int64(1_700_000_000 + number * 100)
                return DeclaredWindow(
                    window: Window(startSeconds: start, endSeconds: start + 100)!, line: UInt32(number + 2), column: 1)
            }, place: place)
        let target = Target(
            name: "t", service: .embedded, organization: "o", sandbox: "s", ledger: .sqlite(path: "x"), limits: limits,
            place: place)
        let plan = Planner(asOf: time.now()).plan(declaration, record: FlowRecord(id: Self.flow), runs: [])
        let context = ApplierContext(store: store, service: service, limits: limits, time: time, owner: "me")
        let outcome = await Applier(context: context).apply(
            Plan(asOf: time.now(), target: target, manifests: [], flows: [plan]), staleness: .reduce)
        return (outcome, store, service)
    }

    @Test("a claim covers the requests of half the time limit, but the flow's first request is claimed alone")
    func sizes() async throws {
        let (outcome, store, service) = try await apply(windows: 25)
        #expect(outcome.flows.map(\.end) == [.done])
        #expect(outcome.accepted == 25)
        #expect(service.taken == 25)
        #expect(store.claimSizes == [1, 10, 10, 4])
        let runs = try await store.snapshot(of: Self.flow).runs
        #expect(Set(runs.compactMap(\.claim?.id)).count == 4)
        #expect(try await store.verify().isEmpty)
    }

    @Test("a claim covers one request if commits are cheap")
    func cheap() async throws {
        let (_, store, _) = try await apply(windows: 3, isCommitCostly: false)
        #expect(store.claimSizes == [1, 1, 1])
    }

    @Test("the owner releases the requests of a claim that were certainly not sent", arguments: [true, false])
    func doubt(wasTaken: Bool) async throws {
        let (outcome, store, service) = try await apply(windows: 6, answers: [3: .lost(taken: wasTaken)])
        #expect(outcome.accepted == 6)
        #expect(service.taken == 6)
        #expect(store.claimSizes == [1, 5, wasTaken ? 2 : 3])
        let runs = try await store.snapshot(of: Self.flow).runs
        #expect(runs.filter { $0.state == .released }.count == (wasTaken ? 2 : 3))
        #expect(runs.filter { $0.state == .accepted }.count == 6)
    }

    @Test("after a refusal, no further request is sent and no claim remains open")
    func refusal() async throws {
        let (outcome, store, service) = try await apply(windows: 6, answers: [3: .refused])
        #expect(outcome.accepted == 3)
        #expect(service.taken == 3)
        let states = try await store.snapshot(of: Self.flow).runs.map(\.state)
        #expect(states == [.accepted, .accepted, .accepted, .rejected, .released, .released])
    }

    @Test("no request is sent after the deadline, and the next claim covers fewer requests")
    func deadline() async throws {
        let (outcome, store, service) = try await apply(windows: 12, duration: .seconds(6))
        #expect(outcome.accepted == 12)
        #expect(service.latest <= .seconds(20))
        #expect(store.claimSizes.prefix(3) == [1, 10, 4])
    }

    @Test("the deadline includes the time of a slow commit")
    func slowCommit() async throws {
        let (outcome, store, service) = try await apply(windows: 3, commitDuration: .seconds(21))
        #expect(outcome.accepted == 0)
        #expect(service.taken == 0)
        #expect(try await store.snapshot(of: Self.flow).runs.allSatisfy { $0.state == .released })
    }
}

/// A time source that advances instead of sleeping.
private final class InstantTime: TimeSource {
    private let start = MonotonicInstant.now
    private let slept = Mutex(Duration.zero)

    func now() -> Timestamp { Timestamp(seconds: 1_800_000_000) + slept.withLock(\.self) }
    func monotonic() -> MonotonicInstant { start + slept.withLock(\.self) }
    func sleep(_ duration: Duration) async { slept.withLock { $0 += duration } }
}

/// A store that counts the requests of each committed claim.
private final class CountingStore: LedgerStore {
    private let store = InMemoryStore()
    private let sizes = Mutex<[Int]>([])
    private let time: InstantTime
    private let duration: Duration
    let isCommitCostly: Bool

    init(isCommitCostly: Bool, time: InstantTime, duration: Duration) {
        self.isCommitCostly = isCommitCostly
        self.time = time
        self.duration = duration
    }

    var claimSizes: [Int] { sizes.withLock(\.self) }

    func commit(_ commit: FlowCommit) async throws(LedgerError) -> CommitResult {
        await time.sleep(duration)
        let result = try store.commit(commit)
        let size = commit.changes.count {
            if case .insert(let entry) = $0 { entry.run.state == .intended } else { false }
        }
        if result == .done, size > 0 { sizes.withLock { $0.append(size) } }
        return result
    }

    func snapshot(of flow: FlowID) async throws(LedgerError) -> FlowSnapshot { try await store.snapshot(of: flow) }
    func flows() async throws(LedgerError) -> [FlowRecord] { try store.flows() }
    func entries(of flow: FlowID) async throws(LedgerError) -> FlowEntries { try await store.entries(of: flow) }
    func damage() async throws(LedgerError) -> [String] { [] }
    func close() async {}
}

/// A service without a clock, with scripted answers by request number, counted from 0.
private final class ScriptedService: FlowService {
    enum Answer {
        case refused
        case lost(taken: Bool)
    }

    private struct State {
        var requests = 0
        var runs: [ObservedRun] = []
        var latest = Duration.zero
    }

    private let time: InstantTime
    private let answers: [Int: Answer]
    private let duration: Duration
    private let state = Mutex(State())

    init(time: InstantTime, answers: [Int: Answer], duration: Duration) {
        self.time = time
        self.answers = answers
        self.duration = duration
    }

    var taken: Int { state.withLock(\.runs.count) }
    /// The longest time from a claim to its request.
    var latest: Duration { state.withLock(\.latest) }

    func waitForRateLimit() async {}
    func rateLimitDelay() -> Duration { .zero }
    func serviceTime() -> ServiceTime? { nil }

    func createRun(_ body: String, sendBefore deadline: MonotonicInstant) async -> RunAnswer {
        let left = deadline - time.monotonic()
        guard left >= .zero else { return .notSent("late") }
        await time.sleep(duration)
        return state.withLock { state in
            state.latest = max(state.latest, .seconds(20) - left)
            let answer = answers[state.requests]
            state.requests += 1
            if case .refused = answer { return .refused(reason: "400", response: "no") }
            if case .lost(taken: false) = answer { return .unknown(reason: "lost", response: nil) }
            let run = ObservedRun(
                id: RunID("run-\(state.requests)")!, window: Self.window(in: body), createdAt: time.now(),
                status: "inProgress", end: nil)
            state.runs.append(run)
            return answer == nil ? .accepted(run.id, response: "{}") : .unknown(reason: "lost", response: nil)
        }
    }

    private static func window(in body: String) -> Window? {
        let numbers = body.split { !$0.isNumber }.compactMap { Int64($0) }.filter { $0 >= 1_700_000_000 }
        return numbers.count == 2 ? Window(startSeconds: numbers[0], endSeconds: numbers[1]) : nil
    }

    func retrigger(_ run: RunID, sendBefore deadline: MonotonicInstant) async -> RunAnswer { .notSent("never asked") }

    func runs(
        of flow: FlowID, newestFirst: Bool, after next: String?
    ) async throws(FlowServiceError) -> Page<ObservedRun> {
        Page(items: state.withLock(\.runs).reversed(), next: nil)
    }

    func runs(ids: [RunID]) async throws(FlowServiceError) -> [ListedRun] { [] }
    func runs(
        ofAny flows: [FlowID], after next: String?
    ) async throws(FlowServiceError) -> Page<ListedRun> { Page(items: [], next: nil) }
    func flows(
        ids: [FlowID], after next: String?
    ) async throws(FlowServiceError) -> Page<ServiceFlow> { Page(items: [], next: nil) }
    func flow(_ flow: FlowID) async throws(FlowServiceError) -> ServiceFlow? {
        ServiceFlow(
            id: flow, name: nil, state: "enabled", specification: nil, frequency: "once", deltaColumn: nil)
    }
    func flows(after next: String?) async throws(FlowServiceError) -> Page<ServiceFlow> { Page(items: [], next: nil) }
    func runSpecification(_ specification: String) async throws(FlowServiceError) -> RunSpecification? { nil }
}
