/// Something wrong with an exchange that was right, and the path at which the facts must tell so.
struct Breakage: Sendable, CustomStringConvertible {
    enum Change: Sendable {
        /// Replaces a text in the request's body.
        case body(String, String)
        /// Replaces a text in the answer's body.
        case answer(String, String)
        /// Sets a header of the request; `nil` takes it away.
        case header(String, String?)
        case answerHeader(String, String)
        /// Sets a parameter of the query; `nil` takes it away.
        case query(String, String?)
        case status(Int)
    }

    /// The endpoint whose exchange is broken: the first that has what is changed.
    let row: String
    let change: Change
    let path: String

    var description: String { "\(row), \(change)" }

    init(_ row: String, _ change: Change, at path: String) {
        self.row = row
        self.change = change
        self.path = path
    }

    /// `nil` when it is another endpoint's, was no success, or has nothing that the change would change.
    func broken(_ exchange: Exchange) -> Exchange? {
        guard let fact = Facts.row(for: exchange), fact.name == row, exchange.status == fact.success else { return nil }
        var broken = exchange
        switch change {
        case .body(let text, let other):
            guard exchange.body.contains(text) else { return nil }
            broken.body = exchange.body.replacing(text, with: other)
        case .answer(let text, let other):
            guard exchange.answer.contains(text) else { return nil }
            broken.answer = exchange.answer.replacing(text, with: other)
        case .header(let name, let value): broken.headers[name] = value
        case .answerHeader(let name, let value): broken.answerHeaders[name] = value
        case .query(let name, let value):
            broken.query.removeAll { $0.name == name }
            if let value { broken.query.append((name: name, value: value)) }
        case .status(let status): broken.status = status
        }
        return broken
    }
}

extension Breakage {
    static let all: [Breakage] = requests + answers + listed

    private static let requests: [Breakage] = [
        // Headers: missing, wrong, made up, or where none belongs.
        Breakage("POST /runs", .header("authorization", nil), at: "headers.authorization"),
        Breakage("POST /runs", .header("authorization", "Basic x"), at: "headers.authorization"),
        Breakage("GET /runs", .header("x-api-key", nil), at: "headers.x-api-key"),
        Breakage("GET /flows", .header("x-gw-ims-org-id", ""), at: "headers.x-gw-ims-org-id"),
        Breakage("GET /flows/{id}", .header("x-sandbox-name", nil), at: "headers.x-sandbox-name"),
        Breakage("POST /runs", .header("content-type", "text/plain"), at: "headers.content-type"),
        Breakage("POST /runs", .header("content-type", nil), at: "headers.content-type"),
        Breakage("GET /runs/{id}", .header("content-type", "application/json"), at: "headers.content-type"),
        Breakage("POST /runs", .header("idempotency-key", "1"), at: "headers.idempotency-key"),
        Breakage("POST /ims/token/v3", .header("content-type", "application/json"), at: "headers.content-type"),
        // Queries.
        Breakage("GET /runs", .query("property", nil), at: "query.property"),
        Breakage("GET /runs", .query("property", "name==x"), at: "query.property"),
        Breakage("GET /runs", .query("orderBy", "-createdAt"), at: "query.orderBy"),
        Breakage("GET /flows", .query("limit", "many"), at: "query.limit"),
        Breakage("GET /flowSpecs/{id}", .query("limit", "1"), at: "query.limit"),
        Breakage("POST /runs/{id}/action", .query("op", "retrigger"), at: "query.op"),
        // Bodies: a misspelt member, another type, seconds among strings, another order, a member twice, no JSON.
        Breakage("POST /runs", .body(#""flowId""#, #""flowID""#), at: "body.flowId"),
        Breakage("POST /runs", .body(#""windowEndTime""#, #""windowendTime""#), at: "body.params.windowendTime"),
        Breakage(
            "POST /runs", .body(#""windowStartTime":"1651584991""#, #""windowStartTime":1651584991"#),
            at: "body.params.windowStartTime"),
        Breakage("POST /runs", .body(#""name":"DOB""#, #""name":1"#), at: "body.params.deltaColumn.name"),
        Breakage("POST /runs", .body(#"{"name":"DOB"}"#, #""DOB""#), at: "body.params.deltaColumn"),
        Breakage(
            "POST /runs", .body(#""timezone":"UTC""#, #""timeZone":"UTC""#), at: "body.params.deltaColumn.timeZone"),
        Breakage("POST /runs", .body(#"{"flowId":"#, #"{"params":{},"flowId":"#), at: "body.params"),
        Breakage("POST /runs", .body("{", "["), at: "body"),
        Breakage("POST /runs/{id}/action", .body("{}", #"{"op":"re-trigger"}"#), at: "body.op"),
        Breakage("POST /ims/token/v3", .body("scope=", "scopes="), at: "body.scope"),
        Breakage("POST /ims/token/v3", .body("client_credentials", "password"), at: "body.grant_type"),
    ]

    private static let answers: [Breakage] = [
        Breakage("POST /ims/token/v3", .answer(":86399", #":"86399""#), at: "answer.expires_in"),
        Breakage("POST /ims/token/v3", .answer("bearer", "mac"), at: "answer.token_type"),
        Breakage("POST /runs", .status(200), at: "status"),
        Breakage("POST /runs", .status(418), at: "status"),
        Breakage("GET /runs", .answerHeader("x-ratelimit-remaining", "7"), at: "answerHeaders.x-ratelimit-remaining"),
        Breakage("GET /runs", .answerHeader("retry-after", "7"), at: "answerHeaders.retry-after"),
        Breakage("POST /runs", .answer(#""createdBy""#, #""createdby""#), at: "answer.createdBy"),
        Breakage("POST /runs", .answer(#""etag":"\""#, #""etag":""#), at: "answer.etag"),
        Breakage("POST /runs", .answer(#""activities":[]"#, #""activities":[{}]"#), at: "answer.activities"),
        Breakage(
            "POST /runs", .answer(#""activities":[]"#, #""activities":[],"activities":[]"#), at: "answer.activities"),
        // In another order than the sample, and otherwise than it was sent.
        Breakage(
            "POST /runs",
            .answer(
                #""metrics":{"statusSummary":{"status":"scheduled"}},"activities":[]"#,
                #""activities":[],"metrics":{"statusSummary":{"status":"scheduled"}}"#),
            at: "answer"),
        Breakage("POST /runs", .answer(#""16515859567""#, #""1651585956""#), at: "answer"),
        Breakage("POST /runs/{id}/action", .answer(#""id""#, #""runId""#), at: "answer.runId"),
    ]

    private static let listed: [Breakage] = [
        Breakage("GET /runs", .answer(#""items""#, #""runs""#), at: "answer.items"),
        Breakage("GET /runs", .answer(#""_links""#, #""links""#), at: "answer._links"),
        Breakage("GET /runs", .answer("/runs?continuationToken=", "/runs?token="), at: "answer._links.next.href"),
        Breakage("GET /runs", .answer("3abea21c-7e36-4be1", "3abea21c-7e36-4be2"), at: "answer"),
        Breakage("GET /runs/{id}", .answer(#""flowId""#, #""flow""#), at: "answer.items[0].flowId"),
        Breakage(
            "GET /runs/{id}", .answer(#""inputFileCount":1"#, #""inputFileCount":"1""#),
            at: "answer.items[0].metrics.fileSummary.inputFileCount"),
        Breakage(
            "GET /runs/{id}", .answer(#""outputFileCount":1"#, #""outputFileCount":true"#),
            at: "answer.items[0].activities[1].fileSummary.outputFileCount"),
        // Seconds for milliseconds.
        Breakage(
            "GET /runs/{id}", .answer(#""windowEnd":16515859567000"#, #""windowEnd":16515859567"#),
            at: "answer.items[0].activities[0].durationSummary.extensions.windowEnd"),
        Breakage(
            "GET /runs/{id}", .answer(#""status":"inProgress""#, #""status":"running""#),
            at: "answer.items[0].metrics.statusSummary.status"),
        Breakage(
            "GET /runs/{id}", .answer("promotionActivity", "promotion"), at: "answer.items[0].activities[1].id"),
        Breakage("GET /runs/{id}", .answer(#"{"items":["#, #"{"items":[null,"#), at: "answer.items"),
        Breakage(
            "GET /flows/{id}", .answer(#""frequency":"once""#, #""frequency":"once","interval":1"#),
            at: "answer.items[0].scheduleParams.interval"),
        Breakage(
            "GET /flows/{id}", .answer(#""backfill":true"#, #""backfill":"true""#),
            at: "answer.items[0].scheduleParams.backfill"),
        Breakage(
            "GET /flows/{id}", .answer(#"{"deltaColumn":{"name""#, #"{"deltaColumn":{"column""#),
            at: "answer.items[0].transformations[0].params.deltaColumn.name"),
        Breakage("GET /flows", .answer(#""state":"enabled","#, ""), at: "answer.items[0].state"),
        Breakage(
            "GET /flowSpecs/{id}", .answer("draft-07", "draft-04"), at: "answer.items[0].runSpec.spec.$schema"),
        Breakage(
            "GET /flowSpecs/{id}", .answer(#""type":"integer""#, #""type":"number""#),
            at: "answer.items[0].runSpec.spec.properties.startTime.type"),
    ]
}
