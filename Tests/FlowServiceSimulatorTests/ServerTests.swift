import FlowRuns
import Foundation
import Synchronization
import Testing

@testable import FlowServiceSimulator

@Suite("The simulator over HTTP")
struct ServerTests {
    @Test("every path exists at the root and below the service's base, with and without a trailing slash")
    func paths() async throws {
        try await withSimulator { simulator async throws in
            for path in ["/runs", "/runs/", "/data/foundation/flowservice/runs", "/data/foundation/flowservice/runs/"] {
                let body = TutorialSample.body(flow: TutorialSample.fileFlowID)
                #expect(try await simulator.call("POST", path, body: body).status == 201)
                #expect(try await simulator.call("GET", path).status == 200)
            }
            let run = try #require(try json(try await simulator.call("GET", "/runs").body)["items"]?.array?.first)
            let id = try #require(run["id"]?.string)
            let specification = FlowSpecification.standard(.table).id
            for path in [
                "/runs/\(id)", "/flows", "/flows/\(TutorialSample.flowID)", "/flowSpecs", "/flowSpecs/\(specification)",
            ] {
                let answer = try await simulator.call("GET", path)
                #expect(answer.status == 200)
                #expect(try json(answer.body)["items"]?.array?.isEmpty == false)
                #expect(answer.headers["content-type"] == "application/json")
            }
            for path in ["/runs/x", "/flows/x", "/flowSpecs/x", "/nothing", "/"] {
                #expect(try await simulator.call("GET", path).status == 404)
            }
            #expect(try await simulator.call("DELETE", "/runs").status == 405)
        }
    }

    @Test("a missing or wrong header is rejected before the body is read")
    func headers() async throws {
        try await withSimulator { simulator async throws in
            func status(without name: String? = nil, _ changed: [String: String] = [:]) async throws -> Int {
                let headers = goodHeaders.filter { $0.key != name }.merging(changed) { $1 }
                return try await simulator.call("POST", "/runs", body: TutorialSample.request, headers: headers).status
            }
            #expect(try await status(without: "Authorization") == 403)
            #expect(try await status(["Authorization": "Basic x"]) == 401)
            #expect(try await status(without: "x-api-key") == 403)
            #expect(try await status(without: "x-gw-ims-org-id") == 400)
            let untyped = try await simulator.call("POST", "/runs", body: TutorialSample.request, type: "text/plain")
            #expect(untyped.status == 415)
            let huge = try await simulator.call("POST", "/runs", body: String(repeating: " ", count: 2 << 20))
            #expect(huge.status == 413)
            #expect(try await simulator.statistics().runsTaken == 0)
            #expect(try await status() == 201)
        }
    }

    @Test("without header checks, as in the embedded simulator, no credentials are required")
    func unchecked() async throws {
        try await withSimulator(FlowServiceSimulator.Configuration(signIn: SignIn(checksHeaders: false))) {
            simulator async throws in
            let answer = try await simulator.call("POST", "/runs", body: TutorialSample.request, headers: [:])
            #expect(answer.status == 201)
        }
    }

    @Test("a token is issued for the right secret and valid until it expires, and a forged one is rejected")
    func tokens() async throws {
        let time = Clock(1_000_000)
        let signIn = SignIn(client: .init(id: "me", secret: "s+ & c"), tokenLifetime: .seconds(60))
        try await withSimulator(FlowServiceSimulator.Configuration(signIn: signIn, now: { time.now })) {
            simulator async throws in
            func token(_ form: String) async throws -> WireAnswer {
                try await simulator.call(
                    "POST", "/ims/token/v3", body: form, headers: [:], type: "application/x-www-form-urlencoded")
            }
            let wrong = try await token("grant_type=client_credentials&client_id=me&client_secret=x")
            #expect(wrong.status == 401)
            #expect(try json(wrong.body)["error"] == .string("invalid_client"))
            #expect(try await token("grant_type=client_credentials&client_id=you&client_secret=x").status == 400)
            #expect(try await token("grant_type=password").status == 400)
            let right = try await token(
                "grant_type=client_credentials&client_id=me&client_secret=s%2B+%26%20c&scope=openid%2Cread")
            #expect(right.status == 200)
            #expect(memberNames(right.body) == ["access_token", "token_type", "expires_in"])
            let given = try #require(try json(right.body)["access_token"]?.string)
            func status(_ token: String, key: String = "me") async throws -> Int {
                let headers = goodHeaders.merging(["Authorization": "Bearer \(token)", "x-api-key": key]) { $1 }
                return try await simulator.call("GET", "/flows", headers: headers).status
            }
            #expect(try await status(given) == 200)
            #expect(try await status(given, key: "you") == 403)
            #expect(try await status("made-up") == 401)
            #expect(try await status(given + "0") == 401)
            time.advance(.seconds(60))
            #expect(try await status(given) == 401)
        }
    }

    @Test("a failed run is re-triggered with either spelling, and the statistics count it separately")
    func retrigger() async throws {
        let time = Clock(TutorialSample.createdAt)
        let sandbox = SandboxConfiguration(outcomes: OutcomeRates(failed: 1))
        try await withSimulator(FlowServiceSimulator.Configuration(sandbox: sandbox, now: { time.now })) {
            simulator async throws in
            let id = try #require(try json(try await simulator.post(TutorialSample.request).body)["id"]?.string)
            #expect(try await simulator.call("POST", "/runs/\(id)/action?op=re-trigger").status == 400)
            time.advance(.seconds(7))
            for operation in ["re-trigger", "RE_TRIGGER"] {
                let answer = try await simulator.call("POST", "/runs/\(id)/action?op=\(operation)")
                #expect(answer.status == 200)
                #expect(memberNames(answer.body) == ["id", "etag"])
            }
            #expect(try await simulator.call("POST", "/runs/\(id)/action?op=cancel").status == 400)
            #expect(try await simulator.call("POST", "/runs/none/action?op=re-trigger").status == 404)
            let statistics = try await simulator.statistics()
            #expect(statistics.runsTaken == 1)
            #expect(statistics.retriggers == 2)
            #expect(statistics.windowsTakenTwice.isEmpty)
        }
    }

    @Test("the statistics count requests, runs, repeated windows and violations of the delta-column rule")
    func statistics() async throws {
        let time = Clock(0)
        try await withSimulator(FlowServiceSimulator.Configuration(now: { time.now })) { simulator async throws in
            _ = try await simulator.post(TutorialSample.request)
            _ = try await simulator.post(TutorialSample.request)
            time.advance(.seconds(1))
            _ = try await simulator.post(TutorialSample.body(start: "5", column: "EMAIL"))
            let window = try #require(Window(startSeconds: 1_651_584_991, endSeconds: 16_515_859_567))
            let statistics = try await simulator.statistics()
            #expect(statistics.postRequests == 3)
            #expect(statistics.runsTaken == 2)
            #expect(statistics.runsByFlow == [TutorialSample.flowID: 2])
            #expect(statistics.windowsTakenTwice == [.init(flow: TutorialSample.flowID, window: window, times: 2)])
            #expect(statistics.deltaColumnViolations == 2)
            #expect(statistics.maxRequestsInASecond == 2)
            let answer = try await simulator.call("GET", "/simulator/statistics", headers: [:])
            let json = try json(answer.body)
            #expect(json["runsTaken"] == .integer(2))
            #expect(json["requests"]?["POST /runs"] == .integer(3))
            #expect(json["windowsTakenTwice"]?.array?.first?["times"] == .integer(2))
        }
    }

    @Test("a hundred concurrent requests create one run each")
    func concurrency() async throws {
        try await withSimulator { simulator async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for start in 1...100 {
                    group.addTask {
                        let body = TutorialSample.body(flow: TutorialSample.fileFlowID, start: "\(start)")
                        return try await simulator.post(body).status
                    }
                }
                for try await status in group { #expect(status == 201) }
            }
            let statistics = try await simulator.statistics()
            #expect(statistics.runsTaken == 100)
            #expect(statistics.windowsTakenTwice.isEmpty)
        }
    }

    @Test("a port in use is an error")
    func takenPort() async throws {
        try await withSimulator { simulator async throws in
            let port = try #require(simulator.baseURL.split(separator: ":").last.flatMap { Int($0) })
            await #expect(throws: SimulatorError.self) {
                _ = try await FlowServiceSimulator.start(FlowServiceSimulator.Configuration(port: port))
            }
        }
    }
}

/// A clock that advances only explicitly.
final class Clock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ now: Timestamp) { time = Mutex(now) }

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ span: Duration) { time.withLock { $0 += span } }
}
