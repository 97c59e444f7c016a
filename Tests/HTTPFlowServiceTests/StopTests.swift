import FlowRuns
import FlowService
import HTTPFlowService
import Logging
import Synchronization
import Testing

@Suite("The rate limit, and stops", .timeLimit(.minutes(1)))
struct StopTests {
    @Test("reads, retries and explicit turns share one rate limit")
    func rate() async throws {
        let time = TestTime()
        var options = HTTPFlowService.Options.quick
        options.time = time
        options.requestsPerSecond = 2
        let asked = Mutex(0)
        try await serving(
            { connection in
                while await connection.request() != nil {
                    let count = asked.withLock { count in
                        count += 1
                        return count
                    }
                    try await connection.answer(count < 3 ? 503 : 200, #"{"items":[]}"#)
                }
            }, options: options
        ) { service, _ in
            _ = try await service.flows()
            // Each 503 causes the retry's delay, then a wait for the next turn.
            #expect(time.waits == [250, 250, 500].map { .milliseconds($0) })
            await service.waitForRateLimit()
            #expect(time.waits.last == .milliseconds(500))
            #expect(time.waits.count == 4)
        }
    }

    @Test("a run request does not wait for a turn, because its claim is open")
    func requestsDoNotWait() async throws {
        let time = TestTime()
        var options = HTTPFlowService.Options.quick
        options.time = time
        options.requestsPerSecond = 0.001
        try await serving(
            { connection in
                while await connection.request() != nil { try await connection.answer(201, Tutorial.items) }
            }, options: options
        ) { service, _ in
            for _ in 0..<3 { #expect(await service.createRun("{}", sendBefore: .later).kind == "accepted") }
            #expect(time.waits.isEmpty)
        }
    }

    @Test("a long wait for a retry is logged with its reason")
    func longWait() async throws {
        let records = LogRecords()
        let logger = Logger(label: "test") { _ in records }
        let asked = Mutex(0)
        try await serving(
            { connection in
                while await connection.request() != nil {
                    let isFirst = asked.withLock { count in
                        count += 1
                        return count == 1
                    }
                    try await connection.answer(
                        isFirst ? 429 : 200, #"{"items":[]}"#, headers: isFirst ? ["Retry-After: 30"] : [])
                }
            }, logger: logger
        ) { service, _ in _ = try await service.flows() }
        #expect(records.text.contains("warning /flows: rate limited (429), retrying in 30 s"))
    }

    @Test("a stop ends the wait for a retry")
    func retry() async throws {
        let stop = StopSignal()
        try await serving(
            { connection in
                while await connection.request() != nil {
                    try await connection.answer(503, headers: ["Retry-After: 500"])
                    stop.request()
                }
            }, options: waiting(stop)
        ) { service, server in
            await #expect(throws: FlowServiceError.stopped) { try await service.flows() }
            #expect(server.count("GET") == 1)
        }
    }

    @Test("a stop ends the wait for a turn, and no request follows")
    func turn() async throws {
        let stop = StopSignal()
        var options = waiting(stop)
        options.requestsPerSecond = 0.001
        try await serving(
            { connection in
                while await connection.request() != nil {
                    try await connection.answer(200, #"{"items":[],"_links":{"next":{"href":"/flows?a=b"}}}"#)
                    stop.request()
                }
            }, options: options
        ) { service, server in
            await #expect(throws: FlowServiceError.stopped) { try await service.flows() }
            await service.waitForRateLimit()
            #expect(server.count("GET") == 1)
        }
    }

    @Test("a stop ends a read that gets no answer")
    func silent() async throws {
        let stop = StopSignal()
        try await serving(
            { connection in
                _ = await connection.request()
                stop.request()
                await connection.rest()
            }, options: waiting(stop)
        ) { service, _ in
            await #expect(throws: FlowServiceError.stopped) { try await service.run(Tutorial.run) }
        }
    }

    @Test("a stop does not interrupt a run request")
    func requestIsFinished() async throws {
        let stop = StopSignal()
        try await serving(
            { connection in
                _ = await connection.request()
                stop.request()
                try await connection.answer(201, Tutorial.items)
            }, options: waiting(stop)
        ) { service, _ in
            #expect(await service.createRun("{}", sendBefore: .later).kind == "accepted")
        }
    }

    /// Returns options with the real clock, on which these waits would outlast the test.
    private func waiting(_ stop: StopSignal) -> HTTPFlowService.Options {
        var options = HTTPFlowService.Options.quick
        options.time = SystemTime()
        options.stop = stop
        options.requestTimeout = .seconds(600)
        return options
    }
}

@Suite("Endless pagination")
struct PagingTests {
    private func page(_ next: String, leftOut: Int = 0) -> Page<Int> { Page(items: [], leftOut: leftOut, next: next) }

    @Test("five consecutive pages without new items are an error; foreign runs count as new")
    func nothingNew() throws {
        var paging = Paging("/runs")
        for number in 0..<20 {
            let hasNews = number % 5 == 4
            let isLast = try !paging.advance(after: page("t\(number)"), newItems: hasNews ? 1 : 0)
            #expect(!isLast)
        }
        for number in 20..<30 { #expect(try paging.advance(after: page("t\(number)", leftOut: 1), newItems: 0)) }
        for number in 30..<34 { #expect(try paging.advance(after: page("t\(number)"), newItems: 0)) }
        #expect(
            throws: FlowServiceError.unreadable("pagination of /runs stalls: 5 consecutive pages without new items")
        ) {
            try paging.advance(after: page("last"), newItems: 0)
        }
    }

    @Test("a hundred thousand pages are an error")
    func tooMany() throws {
        var paging = Paging("/runs")
        for number in 1..<100_000 { _ = try paging.advance(after: page("t\(number)"), newItems: 1) }
        #expect(throws: FlowServiceError.self) { try paging.advance(after: page("last"), newItems: 1) }
    }
}
