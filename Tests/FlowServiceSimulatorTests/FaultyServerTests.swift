import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Faults over a real socket")
struct FaultyServerTests {
    /// Sends `POST /runs` with a fault over a plain socket, and returns the exchange and the number of accepted runs.
    private func strike(
        _ fault: String, requests: Int = 1, stopsWhenComplete: Bool = false
    ) async throws -> (RawExchange, taken: Int) {
        try await withSimulator(FlowServiceSimulator.Configuration(faults: [Fault.parse(fault)])) {
            simulator async throws in
            let bodies = (1...requests).map {
                TutorialSample.body(flow: TutorialSample.fileFlowID, start: "\($0)")
            }
            let exchange = await simulator.raw(bodies, stopsWhenComplete: stopsWhenComplete)
            return (exchange, try await simulator.statistics().runsTaken)
        }
    }

    @Test(
        "a status fault applies before or after the run is created",
        arguments: [
            ("500-before", "HTTP/1.1 500", 0), ("500-after", "HTTP/1.1 500", 1), ("503", "HTTP/1.1 503", 0),
            ("429", "HTTP/1.1 429", 0), ("401-once", "HTTP/1.1 401", 0), ("408-after", "HTTP/1.1 408", 1),
            ("504-after", "HTTP/1.1 504", 1),
        ])
    func statuses(fault: String, line: String, taken: Int) async throws {
        let (exchange, count) = try await strike(fault, stopsWhenComplete: true)
        #expect(exchange.received.hasPrefix(line))
        #expect(!exchange.received.lowercased().contains("retry-after"))
        #expect(count == taken)
    }

    @Test("Retry-After is sent as seconds or as a date")
    func retryAfter() async throws {
        func header(_ fault: String) async throws -> String? {
            let configuration = FlowServiceSimulator.Configuration(
                faults: [try Fault.parse(fault)], now: { Timestamp(seconds: 1_651_587_212) })
            return try await withSimulator(configuration) { simulator async throws in
                try await simulator.post(TutorialSample.request).headers["retry-after"]
            }
        }
        #expect(try await header("429-retry-after:1500ms") == "2")
        #expect(try await header("503-retry-date:5s") == "Tue, 03 May 2022 14:13:37 GMT")
    }

    @Test("a reset fault sends RST instead of an answer", arguments: [("reset-before", 0), ("reset-after", 1)])
    func resets(fault: String, taken: Int) async throws {
        let (exchange, count) = try await strike(fault)
        #expect(exchange.received == "")
        #expect(exchange.error == ECONNRESET)
        #expect(count == taken)
    }

    @Test("a cut answer announces its full length, but ends half-way")
    func cutAnswer() async throws {
        let (exchange, taken) = try await strike("cut-answer")
        #expect(exchange.received.hasPrefix("HTTP/1.1 201"))
        let length = try #require(exchange.contentLength)
        #expect(exchange.body.utf8.count == length / 2)
        #expect(exchange.error == 0)
        #expect(taken == 1)
    }

    @Test("a wrong Content-Length is half of the actual length")
    func wrongLength() async throws {
        let (exchange, taken) = try await strike("wrong-length")
        let length = try #require(exchange.contentLength)
        #expect(exchange.body.utf8.count / 2 == length)
        #expect(taken == 1)
    }

    @Test("a kept-alive connection is closed on its next request, which creates no run")
    func closeIdle() async throws {
        let (exchange, taken) = try await strike("close-idle", requests: 2)
        #expect(exchange.received == "")
        #expect(exchange.error != EAGAIN)
        #expect(taken == 1)
    }

    @Test("without a fault, the connection is kept alive and both requests create runs")
    func keptAlive() async throws {
        let (exchange, taken) = try await strike("get-runs/503", requests: 2)
        #expect(exchange.received.hasPrefix("HTTP/1.1 201"))
        #expect(exchange.error == EAGAIN)
        #expect(taken == 2)
    }

    @Test("error pages are 10 MB of text or HTML, and no run is created")
    func errorPages() async throws {
        try await withSimulator(
            FlowServiceSimulator.Configuration(faults: [Fault.parse("huge-error@1"), Fault.parse("html-error@2")])
        ) {
            simulator async throws in
            let huge = try await simulator.post(TutorialSample.request)
            #expect(huge.status == 500)
            #expect(huge.body.utf8.count == 10_000_000)
            let html = try await simulator.post(TutorialSample.request)
            #expect(html.status == 502)
            #expect(html.headers["content-type"] == "text/html")
            #expect(try await simulator.statistics().runsTaken == 0)
        }
    }

    @Test("a success without an ID has created the run")
    func noID() async throws {
        let (exchange, taken) = try await strike("no-id", stopsWhenComplete: true)
        #expect(exchange.received.hasPrefix("HTTP/1.1 201"))
        #expect(exchange.body == "{}")
        #expect(taken == 1)
    }

    @Test(
        "a slow answer or a slow body arrives completely",
        arguments: ["slow:80ms", "slow-before:80ms", "slow-body:80ms"])
    func slow(fault: String) async throws {
        try await withSimulator(FlowServiceSimulator.Configuration(faults: [Fault.parse(fault)])) {
            simulator async throws in
            let answer = try await simulator.post(TutorialSample.request)
            #expect(answer.status == 201)
            #expect(memberNames(answer.body) == TutorialSample.answerFields)
        }
    }

    @Test(
        "during a slow answer, the run already exists with slow, but not with slow-before",
        arguments: [("slow:1h", 1), ("slow-before:1h", 0)])
    func outstanding(fault: String, taken: Int) async throws {
        try await withSimulator(FlowServiceSimulator.Configuration(faults: [Fault.parse(fault)])) {
            simulator async throws in
            let exchange = await simulator.raw([TutorialSample.request])
            #expect(exchange.error == EAGAIN)
            #expect(try await simulator.statistics().runsTaken == taken)
        }
    }

    @Test("with a listing lag, a run is listed later but can be read by ID at once")
    func listingLag() async throws {
        let time = Clock(TutorialSample.createdAt)
        let configuration = FlowServiceSimulator.Configuration(
            sandbox: SandboxConfiguration(listingLag: .seconds(5)), now: { time.now })
        try await withSimulator(configuration) { simulator async throws in
            let id = try #require(try json(try await simulator.post(TutorialSample.request).body)["id"]?.string)
            func listed() async throws -> Int? {
                try json(try await simulator.call("GET", "/runs").body)["items"]?.array?.count
            }
            #expect(try await listed() == 0)
            #expect(try await simulator.call("GET", "/runs/\(id)").status == 200)
            time.advance(.seconds(5))
            #expect(try await listed() == 1)
        }
    }

    @Test("other endpoints have their own scopes, and requests are counted within a scope")
    func scopes() async throws {
        let faults = try ["get-runs/503@2", "get-flows/500", "token/400", "re-trigger/502-after"].map(Fault.parse)
        try await withSimulator(FlowServiceSimulator.Configuration(faults: faults)) { simulator async throws in
            #expect(try await simulator.post(TutorialSample.request).status == 201)
            #expect(try await simulator.call("GET", "/runs").status == 200)
            #expect(try await simulator.call("GET", "/runs").status == 503)
            #expect(try await simulator.call("GET", "/runs").status == 200)
            #expect(try await simulator.call("GET", "/flows").status == 500)
            #expect(try await simulator.call("POST", "/ims/token/v3", body: "").status == 400)
            #expect(try await simulator.call("POST", "/runs/x/action?op=re-trigger").status == 502)
            #expect(try await simulator.statistics().faultsStruck == 4)
        }
    }
}
