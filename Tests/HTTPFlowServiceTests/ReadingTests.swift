import FlowRuns
import FlowService
import HTTPFlowService
import Synchronization
import Testing

@Suite("Reading runs and flows", .timeLimit(.minutes(1)))
struct ReadingTests {
    private static let other = "c9cef9cb-c934-4467-8ef9-cbc934546741"

    @Test("all pages are read with the same filters and without duplicate keys; foreign and repeated runs are skipped")
    func pages() async throws {
        let runs = try await serving({ connection in
            while let request = await connection.request() {
                let target = String(request.head.split(separator: " ")[1])
                let query = "/flowservice/runs?property=flowId==\(Tutorial.flow)&limit=100"
                switch target {
                case query:
                    try await connection.answer(200, page(["a", "b"], next: "/runs?continuationToken=t%2F1+x=="))
                case "\(query)&continuationToken=t%2F1+x==":
                    let foreign = #"{"id":"z","flowId":"\#(Self.other)"}"#
                    let link = "/runs?limit=5&property=flowId%3D%3D\(Tutorial.flow)&start=7&continuationToken=t2"
                    try await connection.answer(200, page(["b", "c"], extra: [foreign], next: link))
                case "\(query)&start=7&continuationToken=t2":
                    try await connection.answer(200, page(["d"], next: nil))
                default: try await connection.answer(400, target)
                }
            }
        }) { service, _ in try await service.runs(of: Tutorial.flow) }
        #expect(runs.map(\.id.description) == ["a", "b", "c", "d"])
    }

    @Test("a listing from a cache is asked for again with another page size, until the service itself answers")
    func cached() async throws {
        let runs = try await serving({ connection in
            while let request = await connection.request() {
                #expect(request.head.lowercased().contains("cache-control: no-cache"))
                let isCached = request.head.contains("limit=100 ")
                try await connection.answer(
                    200, page(isCached ? [] : ["a"], next: nil), headers: isCached ? ["Age: 300"] : [])
            }
        }) { service, _ in try await service.runs(of: Tutorial.flow) }
        #expect(runs.map(\.id.description) == ["a"])
    }

    @Test("a cache that answers every page size is an error that names it")
    func alwaysCached() async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(
                    200, page(["a"], next: nil), headers: ["Age: 300", "Via: 1.1 proxy.corp.example"])
            }
        }) { service, server in
            await #expect(throws: FlowServiceError.stale("/runs: Age: 300, Via: 1.1 proxy.corp.example")) {
                try await service.runs(of: Tutorial.flow)
            }
            #expect(server.count("GET") == 4)
        }
    }

    @Test(
        "a loop in the pagination is an error",
        arguments: ["/runs?continuationToken=t", "/runs", "x"])
    func circle(link: String) async throws {
        try await serving({ connection in
            while await connection.request() != nil { try await connection.answer(200, page(["a"], next: link)) }
        }) { service, server in
            await #expect(throws: FlowServiceError.unreadable("pagination of /runs loops")) {
                try await service.runs(of: Tutorial.flow)
            }
            #expect(server.count("GET") <= 2)
        }
    }

    @Test("a read is retried after 429, 5xx and lost connections, with growing waits, and respects Retry-After")
    func repeated() async throws {
        let time = TestTime()
        var options = HTTPFlowService.Options.quick
        options.time = time
        options.retryPolicy.maxAttempts = 6
        let asked = Mutex(0)
        let flow = try await serving(
            { connection in
                while await connection.request() != nil {
                    switch asked.withLock({
                        $0 += 1; return $0
                    }) {
                    case 1: try await connection.answer(503)
                    case 2: try await connection.answer(429, headers: ["Retry-After: 9"])
                    case 3: return
                    case 4: try await connection.answer(500, headers: ["Retry-After: 400"])
                    case 5: try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"); return
                    default: try await connection.answer(200, #"{"items":[{"id":"\#(Tutorial.flow)"}]}"#)
                    }
                }
            }, options: options
        ) { service, _ in try await service.flow(Tutorial.flow) }
        #expect(flow?.id == Tutorial.flow)
        #expect(time.waits == [250, 9000, 1000, 400_000, 4000].map { .milliseconds($0) })
    }

    @Test(
        "a persistent failure or a refusal is a typed error",
        arguments: [
            (500, "", FlowServiceError.unavailable("/flows: answered 500")),
            (429, "", .unavailable("/flows: rate limited (429)")),
            (401, "", .unauthorized(accessError("401"))), (400, "no", .refused(status: 400, "400: no")),
            (
                403, #"{"message":"Api Key is invalid"}"#,
                .unauthorized("the service denied access (403: Api Key is invalid)")
            ),
            (404, "", .refused(status: 404, "404")), (302, "", .refused(status: 302, "302")),
            (200, "{", .malformed("/flows: the answer is not a JSON object")),
            (200, "{}", .unreadable("a page of /flows has no items")),
            (200, #"{"items":[{"name":"x"}]}"#, .unreadable("a flow's id is not a UUID")),
        ])
    func errors(status: Int, body: String, expected: FlowServiceError) async throws {
        try await serving({ connection in
            while await connection.request() != nil { try await connection.answer(status, body) }
        }) { service, _ in
            await #expect(throws: expected) { try await service.flows() }
        }
    }

    @Test("a Retry-After of more than ten minutes is an error that contains the time")
    func longRetryAfter() async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(503, "maintenance", headers: ["Retry-After: 3600"])
            }
        }) { service, server in
            let expected = FlowServiceError.unavailable("/flows: answered 503: maintenance; retry after 3600 s")
            await #expect(throws: expected) { try await service.flows() }
            #expect(server.count("GET") == 1)
        }
    }

    @Test("an unreachable service is reported as unavailable")
    func unreachable() async throws {
        try await serving({ _ in }) { service, server in
            await server.stop()
            let error = await #expect(throws: FlowServiceError.self) { try await service.flows() }
            guard case .unavailable(let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.contains("connection refused"))
        }
    }

    @Test("a single run or flow may be bare or in an envelope, and an unknown one is nil")
    func single() async throws {
        try await serving({ connection in
            while let request = await connection.request() {
                switch request.head.split(separator: " ")[1] {
                case "/flowservice/runs/\(Tutorial.run)": try await connection.answer(200, Tutorial.wholeRun)
                case "/flowservice/runs/enveloped": try await connection.answer(200, #"{"items":[{"id":"enveloped"}]}"#)
                case "/flowservice/runs/none": try await connection.answer(200, #"{"items":[]}"#)
                case "/flowservice/runs/other": try await connection.answer(200, #"{"id":"another"}"#)
                default: try await connection.answer(404, "{}")
                }
            }
        }) { service, _ in
            let bare = try await service.run(Tutorial.run)
            #expect(bare?.window == Tutorial.window)
            for (id, isKnown) in [("enveloped", true), ("none", false), ("unknown", false)] {
                let run = try await service.run(#require(RunID(id)))
                #expect((run != nil) == isKnown)
            }
            let flow = try await service.flow(Tutorial.flow)
            #expect(flow == nil)
            let specification = try await service.runSpecification("none")
            #expect(specification == nil)
            let other = try #require(RunID("other"))
            await #expect(throws: FlowServiceError.self) { try await service.run(other) }
        }
    }

    @Test("several runs are read in one request, and those missing in the answer individually")
    func severalIDs() async throws {
        let ids = try ["b", "a", "c,d", "unknown"].map { try #require(RunID($0)) }
        for isFilterKnown in [true, false] {
            let targets = Mutex<[String]>([])
            let runs = try await serving({ connection in
                while let request = await connection.request() {
                    let target = String(request.head.split(separator: " ")[1].dropFirst("/flowservice/runs".count))
                    targets.withLock { $0.append(target) }
                    switch target {
                    case "?property=id==a,b,unknown&limit=100" where isFilterKnown:
                        try await connection.answer(200, page(["a", "b", "other"], next: nil))
                    case "/a": try await connection.answer(200, #"{"id":"a"}"#)
                    case "/b": try await connection.answer(200, #"{"id":"b"}"#)
                    case "/c%2Cd": try await connection.answer(200, #"{"id":"c,d"}"#)
                    case "/unknown": try await connection.answer(404)
                    default: try await connection.answer(400)
                    }
                }
            }) { service, _ in try await service.runs(ids: ids) }
            #expect(runs.map(\.run.id.description) == ["b", "a", "c,d"])
            let one = isFilterKnown ? ["/c%2Cd", "/unknown"] : ["/a", "/b", "/c%2Cd", "/unknown"]
            #expect(targets.withLock { $0 } == ["?property=id==a,b,unknown&limit=100"] + one)
        }
    }

    @Test("several flows are read in one request, and members missing in the answer are nil")
    func severalFlows() async throws {
        let flows = [Tutorial.flow, SampleFlows.file]
        let filter = "\(Tutorial.flow),\(SampleFlows.file)"
        try await serving({ connection in
            while let request = await connection.request() {
                switch String(request.head.split(separator: " ")[1].dropFirst("/flowservice".count)) {
                case "/runs?property=flowId==\(filter)&orderby=-createdAt&limit=100":
                    let next = "/runs?property=flowId==x&orderby=createdAt&continuationToken=t"
                    try await connection.answer(200, page(["a"], extra: [#"{"id":"b"}"#], next: next))
                case "/runs?property=flowId==\(filter)&orderby=-createdAt&limit=100&continuationToken=t":
                    try await connection.answer(200, page([], extra: ["{}"], next: nil))
                case "/flows?property=id==\(filter)&limit=100":
                    let short = #"{"id":"\#(SampleFlows.file)","state":"enabled","flowSpec":{"id":"s"}}"#
                    let whole = #"""
                        {"id":"\#(Tutorial.flow)","state":"enabled","flowSpec":{"id":"s"},"scheduleParams":{},
                        "transformations":[{"name":"Copy","params":{"deltaColumn":{"name":"DOB"}}}]}
                        """#
                    try await connection.answer(200, page([], extra: [short, whole], next: nil))
                default: try await connection.answer(400)
                }
            }
        }) { service, _ in
            let runs = try await service.runs(ofAny: flows, after: nil)
            #expect(runs.items.map(\.flow) == [Tutorial.flow, nil])
            #expect(runs.items.map(\.run.id.description) == ["a", "b"])
            await #expect(throws: FlowServiceError.unreadable("a run has no id")) {
                try await service.runs(ofAny: flows, after: runs.next)
            }
            let whole = try await service.flows(ids: flows, after: nil)
            #expect(whole.items.map(\.deltaColumn) == [DeltaColumn(name: "DOB")])
            #expect(whole.leftOut == 1)
        }
    }

    @Test("a refused specification is not treated as an authorization error")
    func forbiddenSpecification() async throws {
        try await serving({ connection in
            while await connection.request() != nil { try await connection.answer(403, "no") }
        }) { service, _ in
            await #expect(throws: FlowServiceError.refused(status: 403, "403: no")) {
                try await service.runSpecification("s")
            }
            await #expect(throws: FlowServiceError.unauthorized("the service denied access (403: no)")) {
                try await service.flow(Tutorial.flow)
            }
        }
    }

    @Test("a flow's specification contains the types and required members of its run requests")
    func specification() async throws {
        let body = #"""
            {"items":[{"id":"s","runSpec":{"name":"scheduled","spec":{"type":"object","properties":{
            "startTime":{"type":"integer"},"windowStartTime":{"type":["null","string"]},"deltaColumn":{"type":"object",
            "properties":{"name":{"type":"string"}},"required":["name"]},"any":{}},
            "required":["startTime","windowStartTime"]}}}]}
            """#
        let specification = try await serving({ connection in
            while await connection.request() != nil { try await connection.answer(200, body) }
        }) { service, _ in try await service.runSpecification("s") }
        #expect(
            specification
                == RunSpecification(
                    types: ["startTime": "integer", "windowStartTime": "string", "deltaColumn": "object"],
                    required: ["startTime", "windowStartTime"], requiredOfColumn: ["name"]))
    }
}

private func page(_ runs: [String], extra: [String] = [], next: String?) -> String {
    let items = runs.map { #"{"id":"\#($0)","flowId":"\#(Tutorial.flow)"}"# } + extra
    let links = next.map { #"{"next":{"href":"\#($0)"}}"# } ?? "{}"
    return #"{"items":[\#(items.joined(separator: ","))],"_links":\#(links)}"#
}
