import FlowRuns
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import FlowService
@testable import HTTPFlowService

/// The two requests and the answer of the tutorial.
enum Tutorial {
    static let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let run = RunID("3fb0418e-1804-45d6-8d56-dd51f05c0baf")!
    static let window = Window(startSeconds: 1_651_584_991, endSeconds: 16_515_859_567)!
    static let tableRequest = RunRequest(flow: flow, window: window, deltaColumn: DeltaColumn(name: "DOB"))
        .body(WireForm(), sentAt: nil)
    static let fileRequest = RunRequest(flow: flow, window: window).body(WireForm(), sentAt: nil)
    static let etag = #""\"1100c53e-0000-0200-0000-627138980000\"""#
    static let wholeRun = """
        {"id":"\(run)","createdAt":1651587212543,"updatedAt":1651587223839,"createdClient":"client","flowId":"\(flow)","params":\
        {"windowStartTime":"1651584991","windowEndTime":"16515859567"},"etag":\(etag),\
        "metrics":{"statusSummary":{"status":"scheduled"}},"activities":[]}
        """
    static let items = #"{"items":[{"id":"\#(run)","etag":\#(etag)}]}"#
    static let idAndEtag = #"{"id":"\#(run)","etag":\#(etag)}"#
}

/// The reason of a rejected access token.
func accessError(_ summary: String) -> String {
    "the service rejected the access token (\(summary)): it has expired or belongs to another client; fetch a new "
        + "one for SLUICE_ACCESS_TOKEN, or set SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET and SLUICE_SCOPES"
}

let bearer = Credentials.bearer(token: "token-0123456789", apiKey: "key-0123456789")

/// Runs `use` with a server that follows the script on each connection, and a client connected to it.
@discardableResult
func serving<Value: Sendable>(
    _ script: @escaping ScriptedServer.Script, options: HTTPFlowService.Options = .quick, logger: Logger = .quiet,
    _ use: (HTTPFlowService, ScriptedServer) async throws -> Value
) async throws -> Value {
    let server = try await ScriptedServer(script)
    let service = try HTTPFlowService(
        address: "http://127.0.0.1:\(server.port)/flowservice", organization: "1234@AdobeOrg", sandbox: "prod",
        credentials: bearer, options: options, logger: logger)
    let result: Result<Value, any Error>
    do { result = .success(try await use(service, server)) } catch { result = .failure(error) }
    await service.close()
    await server.stop()
    return try result.get()
}

/// Returns the client's result of a run request to the script.
func answer(
    _ script: @escaping ScriptedServer.Script, timeout: Duration = .seconds(5)
) async throws -> RunAnswer {
    var options = HTTPFlowService.Options.quick
    options.requestTimeout = timeout
    return try await serving(script, options: options) { service, _ in
        await service.createRun(Tutorial.tableRequest, sendBefore: .later)
    }
}

extension HTTPFlowService.Options {
    /// Options that retry without waiting and have no effective rate limit.
    static var quick: Self {
        var options = Self(version: "1.2.3")
        options.requestTimeout = .seconds(5)
        options.requestsPerSecond = 1e9
        options.retryPolicy = RetryPolicy(maxAttempts: 3, random: { 0 })
        options.time = TestTime()
        return options
    }
}

extension MonotonicInstant {
    /// A deadline that no test reaches.
    static var later: Self { .now + .seconds(86_400) }
}

/// A time source that advances only explicitly or by sleeping.
final class TestTime: TimeSource {
    private struct State {
        var elapsed = Duration.zero
        var waits: [Duration] = []
    }

    /// The time of the tutorial's answer.
    static let tutorial = Timestamp(milliseconds: 1_651_587_212_543)

    let start = MonotonicInstant.now
    private let wallStart: Timestamp
    private let step: Duration
    private let state = Mutex(State())

    /// Creates a time source.
    ///
    /// - Parameter step: The time by which each reading of the monotonic clock advances the clock.
    init(at wallStart: Timestamp = Timestamp(seconds: 0), step: Duration = .zero) {
        self.wallStart = wallStart
        self.step = step
    }

    /// The durations slept, except the tiny waits for the rate limit.
    var waits: [Duration] { state.withLock { $0.waits.filter { $0 >= .milliseconds(1) } } }

    func advance(_ duration: Duration) { state.withLock { $0.elapsed += duration } }

    func now() -> Timestamp { wallStart + state.withLock(\.elapsed) }

    func monotonic() -> MonotonicInstant {
        state.withLock { state in
            defer { state.elapsed += step }
            return start + state.elapsed
        }
    }

    func sleep(_ duration: Duration) async {
        state.withLock { state in
            state.waits.append(duration)
            state.elapsed += duration
        }
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension RunAnswer {
    /// The name of the case, for comparisons.
    var kind: String {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused"
        case .unauthorized: "unauthorized"
        case .throttled: "throttled"
        case .notSent: "notSent"
        case .unknown: "unknown"
        }
    }

    var reason: String {
        switch self {
        case .accepted, .throttled: ""
        case .refused(let reason, _), .unauthorized(let reason), .notSent(let reason), .unknown(let reason, _): reason
        }
    }
}

/// Compares a text with a golden file.
func expectGolden(_ text: String, _ name: String) throws {
    #expect(try GoldenFile("Golden/\(name)").text(updatingTo: text) == text)
}

extension FlowService {
    /// Reads all runs of a flow.
    func runs(of flow: FlowID) async throws(FlowServiceError) -> [ObservedRun] {
        var (runs, seen): ([ObservedRun], Set<RunID>) = ([], [])
        var paging = Paging("/runs")
        while true {
            let page = try await self.runs(of: flow, newestFirst: false, after: paging.next)
            let new = page.items.filter { seen.insert($0.id).inserted }
            runs += new
            guard try paging.advance(after: page, newItems: new.count) else { return runs }
        }
    }

    /// Reads one run.
    func run(_ run: RunID) async throws(FlowServiceError) -> ObservedRun? { try await runs(ids: [run]).first?.run }
}
