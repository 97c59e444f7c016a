/// The facts of the Flow Service's API, row by row in the order of the document that collects them, to be read side by
/// side with it. The letters are its sources: [T] the on-demand ingestion tutorial, [M] the monitoring tutorial, [R] the
/// one on retrying failed runs, [S] the one on database sources, [A] the authentication guide, [O] the public OpenAPI
/// document.
enum Facts {
    static let all: [Fact] = [token, createRun, listRuns, oneRun, retrigger, listFlows, oneFlow, specification]

    static let base = "/data/foundation/flowservice"

    /// Documented are 403 and 503 [O]. The others happen, and the bodies of all vary: so none is looked into.
    static let errors = Set([400, 401, 403, 404, 409, 429]).union(500...599)

    /// HTTP's own. No header tells the rate left; `Retry-After` may come with a 429 or 503.
    static let answerHeaders: Set<String> = [
        "connection", "content-length", "content-type", "date", "server", "transfer-encoding",
    ]

    // MARK: - Base and headers

    /// Every call. A `x-sandbox-name` left out would be the organisation's default sandbox [O]: Sluice names its own.
    private static let callHeaders: Members = [
        "authorization": .prefixed("Bearer "), "x-api-key": .string, "x-gw-ims-org-id": .string,
        "x-sandbox-name": .string,
    ]

    /// HTTP's own. No idempotency key exists, so none is among them.
    private static let otherHeaders: Members = ["host": .string, "user-agent": .string]

    private static let questionHeaders = Shape.object(required: callHeaders, optional: otherHeaders)

    /// Calls with a body.
    private static let requestHeaders = Shape.object(
        required: callHeaders.and(["content-type": .oneOf(["application/json"])]),
        optional: otherHeaders.and(["content-length": .digits]))

    /// [A]: OAuth server-to-server.
    static let token = Fact(
        method: "POST", paths: ["/ims/token/v3"],
        headers: .object(
            required: ["content-type": .oneOf(["application/x-www-form-urlencoded"])],
            optional: ["host": .string, "content-length": .digits]),
        body: .form(
            .object(required: [
                "grant_type": .oneOf(["client_credentials"]), "client_id": .string, "client_secret": .string,
                "scope": .string,
            ])),
        success: 200,
        answer: .object(required: [
            "access_token": .string, "token_type": .oneOf(["bearer"]), "expires_in": .integer,
        ]))

    // MARK: - POST /runs

    /// [T] [O]. The answer's three shapes: beta [T], newest [T], [O].
    static let createRun = Fact(
        method: "POST", paths: ["\(base)/runs", "\(base)/runs/"], headers: requestHeaders,
        body: .json(.inOrder(.object(required: ["flowId": .uuid, "params": params]))),
        success: 201, answer: .anyOf([wholeRun, .object(required: ["items": .array(of: idAndETag)]), idAndETag]),
        relation: { exchange, answer in
            guard let params = answer["params"], let sent = try? WireJSON(exchange.body) else { return nil }
            return params == sent["params"] && answer["flowId"] == sent["flowId"] ? nil : "is not of what was sent"
        })

    private static let idAndETag = Shape.object(required: ["id": .uuid, "etag": .etag])

    /// Times are strings of seconds [T], integers of seconds [S] or, by their description, of milliseconds [O]; in one
    /// request all are the same.
    static let params = Shape.anyOf([timed(by: .secondsText), timed(by: .seconds), timed(by: .milliseconds)])

    /// `startTime`: newest [T], [O], [S]. `deltaColumn`: [T], its format and time zone [S].
    private static func timed(by time: Shape) -> Shape {
        .inOrder(
            .object(
                required: ["windowStartTime": time, "windowEndTime": time],
                optional: ["deltaColumn": deltaColumn, "startTime": time]))
    }

    static let deltaColumn = Shape.object(
        required: ["name": .string], optional: ["dateFormat": .string, "timezone": .string])

    // MARK: - GET /runs, GET /runs/{id}

    /// The filter [M], the other parameters [O].
    static let listRuns = Fact(
        method: "GET", paths: ["\(base)/runs"], headers: questionHeaders,
        query: .object(
            required: ["property": .prefixed("flowId==")],
            optional: [
                "limit": .digits, "orderby": .string, "continuationToken": .string, "count": .oneOf(["true", "false"]),
            ]),
        success: 200, answer: page(of: run, at: "/runs"),
        relation: { exchange, answer in
            let property = exchange.query.first { $0.name == "property" }?.value ?? ""
            let others = (answer["items"]?.elements ?? []).compactMap { $0["flowId"]?.string }
                .filter { "flowId==\($0)" != property }
            return others.isEmpty ? nil : "holds runs of \(others), and \(property) was asked for"
        })

    /// The same list envelope, with one item [O].
    static let oneRun = Fact(
        method: "GET", paths: ["\(base)/runs/{id}"], headers: questionHeaders, success: 200, answer: envelope(of: run),
        relation: isTheOneAskedFor)

    /// [R]; [O] writes the operation in capitals, takes an `If-Match`, and answers 200. No body is spoken of: an empty
    /// object is allowed.
    static let retrigger = Fact(
        method: "POST", paths: ["\(base)/runs/{id}/action"],
        headers: .object(
            required: callHeaders,
            optional: otherHeaders.and([
                "content-type": .oneOf(["application/json"]), "content-length": .digits, "if-match": .etag,
            ])),
        query: .object(required: ["op": .oneOf(["re-trigger", "RE_TRIGGER"])]),
        body: .jsonOrNone(.object(required: [:])), success: 200, answer: idAndETag,
        relation: { exchange, answer in
            let id = answer["id"]?.string ?? ""
            return exchange.path.split(separator: "/").contains { $0 == id } ? "is not a newly created run" : nil
        })

    // MARK: - GET /flows, GET /flows/{id}, GET /flowSpecs/{id}

    /// Comparisons exist for flows [O].
    static let listFlows = Fact(
        method: "GET", paths: ["\(base)/flows"], headers: questionHeaders,
        query: .object(
            required: [:],
            optional: [
                "property": .string, "limit": .digits, "continuationToken": .string,
                "count": .oneOf(["true", "false"]),
            ]),
        success: 200, answer: page(of: flow, at: "/flows"))

    static let oneFlow = Fact(
        method: "GET", paths: ["\(base)/flows/{id}"], headers: questionHeaders, success: 200,
        answer: envelope(of: flow), relation: isTheOneAskedFor)

    /// [S].
    static let specification = Fact(
        method: "GET", paths: ["\(base)/flowSpecs/{id}"], headers: questionHeaders, success: 200,
        answer: envelope(of: flowSpecification), relation: isTheOneAskedFor)

    // MARK: - Envelopes

    /// The `href` is relative to the service's base; `_links` is `{}` on the last page.
    private static func page(of item: Shape, at path: String) -> Shape {
        let next = Shape.object(required: ["href": .prefixed("\(path)?continuationToken=")])
        return .object(
            required: ["items": .array(of: item), "_links": .object(required: [:], optional: ["next": next])],
            optional: ["count": .integer])
    }

    private static func envelope(of item: Shape) -> Shape {
        .object(required: ["items": .array(of: item, counting: 1...1), "_links": .object(required: [:])])
    }

    private static let isTheOneAskedFor: Fact.Relation = { exchange, answer in
        let id = answer["items"]?[0]?["id"]?.string ?? ""
        return exchange.path.hasSuffix("/\(id)") ? nil : "is of \(id), which was not asked for"
    }
}
