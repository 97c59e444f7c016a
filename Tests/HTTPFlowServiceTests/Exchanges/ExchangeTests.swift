import Foundation
import TestSupport
import Testing

@testable import FlowService
@testable import HTTPFlowService

@Suite("Exchanges between client and simulator", .timeLimit(.minutes(2)))
struct ExchangeTests {
    private static let recorded = Task { try await Conversation.all() }
    private static let schemas = URL(filePath: #filePath).deletingLastPathComponent()

    private func faults(in exchanges: [String]) throws -> [String?] {
        try SchemaValidator.faults(in: exchanges.map { .init("exchange", $0) }, schemas: Self.schemas)
    }

    @Test("every exchange matches the schema of its endpoint")
    func fits() async throws {
        let exchanges = try await Self.recorded.value
        for (exchange, fault) in zip(exchanges, try faults(in: exchanges.map { try $0.json })) {
            #expect(fault == nil, "\(exchange)")
        }
    }

    @Test("the exchanges cover the whole schema, except members that only the real service has")
    func complete() async throws {
        let said = try await Self.recorded.value.map { try $0.json }.joined()
        let schema = try JSONSerialization.jsonObject(
            with: Data(contentsOf: Self.schemas.appending(path: "exchange.schema.json")))
        let unmet = Self.members(of: schema).filter { !said.contains("\"\($0)\":") }
        #expect(
            unmet.sorted() == ["activites", "count", "createdRecordCount", "eTag", "if-match"])
        let endpoints = try #require(schema as? [String: Any]).members("properties", "endpoint")["enum"] as? [String]
        for endpoint in try #require(endpoints) where endpoint != "POST /runs/" {
            #expect(said.contains(#""endpoint":"\#(endpoint)""#), "\(endpoint)")
        }
    }

    /// Returns the names of all properties in a schema.
    private static func members(of schema: Any) -> Set<String> {
        switch schema {
        case let list as [Any]: list.reduce(into: []) { $0.formUnion(members(of: $1)) }
        case let object as [String: Any]:
            object.reduce(into: []) { names, member in
                guard member.key == "properties", let properties = member.value as? [String: Any] else {
                    return names.formUnion(members(of: member.value))
                }
                names.formUnion(properties.keys)
                names.formUnion(members(of: Array(properties.values)))
            }
        default: []
        }
    }

    @Test("every deviation from the documented API is detected")
    func breakages() async throws {
        let exchanges = try await Self.recorded.value
        var broken: [String] = []
        for breakage in Breakage.all {
            let json = try exchanges.lazy.filter { $0.endpoint == breakage.endpoint && $0.status < 300 }
                .map { try $0.json }.first { $0.contains(breakage.text) }
            broken.append(try #require(json, "\(breakage)").replacing(breakage.text, with: breakage.other))
        }
        for (breakage, fault) in zip(Breakage.all, try faults(in: broken)) {
            #expect(fault?.contains(breakage.fault) == true, "\(breakage) was found to be \(fault ?? "right")")
        }
    }
}

extension [String: Any] {
    fileprivate func members(_ names: String...) -> [String: Any] {
        names.reduce(self) { $0[$1] as? [String: Any] ?? [:] }
    }
}

/// A modification that makes a valid exchange invalid, and the expected error of the schema.
private struct Breakage {
    let endpoint: String
    let text: String
    let other: String
    let fault: String

    init(_ endpoint: String, _ text: String, _ other: String, _ fault: String) {
        (self.endpoint, self.text, self.other, self.fault) = (endpoint, text, other, fault)
    }

    static let all = [
        // Headers: missing, wrong, unknown, or not allowed.
        Breakage("POST /runs", #""authorization":"Bearer "#, #""authorization":"Basic "#, "$.headers.authorization"),
        Breakage("GET /runs", #""x-api-key""#, #""api-key""#, "x-api-key"),
        Breakage("GET /flows", #""x-gw-ims-org-id":"1234@AdobeOrg""#, #""x-gw-ims-org-id":"""#, "x-gw-ims-org-id"),
        Breakage("GET /flows/{id}", #""x-sandbox-name""#, #""sandbox""#, "sandbox"),
        Breakage("POST /runs", #""content-type":"application/json","host""#, #""host""#, "content-type"),
        Breakage("POST /runs", #""host""#, #""idempotency-key":"1","host""#, "idempotency-key"),
        Breakage("GET /runs/{id}", #""host""#, #""content-type":"application/json","host""#, "content-type"),
        Breakage("GET /runs", #""answerHeaders":{"#, #""answerHeaders":{"x-ratelimit-remaining":"7","#, "x-ratelimit"),
        Breakage("GET /runs", #""answerHeaders":{"#, #""answerHeaders":{"retry-after":"7","#, "retry-after"),
        // Queries.
        Breakage("GET /runs", #""property":"flowId==3"#, #""property":"name==3"#, "$.query.property"),
        Breakage("GET /runs", #""orderby""#, #""orderBy""#, "orderBy"),
        Breakage("GET /flows", #""limit":"2""#, #""limit":"many""#, "$.query.limit"),
        Breakage("POST /runs/{id}/action", "re-trigger", "retrigger", "$.query.op"),
        // Requests: a misspelt member, another type, and mixed seconds and milliseconds.
        Breakage("POST /runs", #""body":{"flowId""#, #""body":{"flowID""#, "flowI"),
        Breakage("POST /runs", #""windowEndTime":"1651588591""#, #""windowEndTime":1651588591"#, "params"),
        Breakage("POST /runs", #""windowEndTime":16515"#, #""windowEndTime":16515000"#, "params"),
        Breakage("POST /runs", #"{"name":"DOB"}"#, #""DOB""#, "params.deltaColumn"),
        Breakage("POST /runs", #""timezone":"UTC""#, #""timeZone":"UTC""#, "timeZone"),
        Breakage("POST /runs/{id}/action", #""body":{}"#, #""body":{"op":"re-trigger"}"#, "$.body"),
        Breakage("POST /ims/token/v3", #""scope""#, #""scopes""#, "scope"),
        Breakage("POST /ims/token/v3", "client_credentials", "password", "$.body.grant_type"),
        // Answers.
        Breakage("POST /ims/token/v3", #""expires_in":86399"#, #""expires_in":"86399""#, "$.answer.expires_in"),
        Breakage("POST /runs", #""status":201"#, #""status":418"#, "$.status"),
        Breakage("POST /runs", #""createdBy""#, #""createdby""#, "createdBy"),
        Breakage("POST /runs", #""etag":"\""#, #""etag":""#, "etag"),
        Breakage("POST /runs", #""activities":[]"#, #""activities":[{}]"#, "$.answer.activities"),
        Breakage("POST /runs/{id}/action", #""answer":{"etag""#, #""answer":{"eTag""#, "etag"),
        Breakage("GET /runs", #""items""#, #""runs""#, "items"),
        Breakage("GET /runs", #""_links""#, #""links""#, "links"),
        Breakage("GET /runs", "/runs?continuationToken=", "/runs?token=", "$.answer._links.next.href"),
        Breakage("GET /runs/{id}", #""flowId""#, #""flow""#, "flow"),
        Breakage("GET /runs/{id}", #""outputFileCount":1"#, #""outputFileCount":true"#, "outputFileCount"),
        // Seconds instead of milliseconds.
        Breakage("GET /runs/{id}", #""windowEnd":16515859567000"#, #""windowEnd":16515859567"#, "windowEnd"),
        Breakage("GET /runs/{id}", #""status":"inProgress""#, #""status":"running""#, "status"),
        Breakage(
            "GET /runs/{id}", #""promotionActivity","recordSummary""#, #""promotion","recordSummary""#, "activities[1]"),
        Breakage("GET /flows/{id}", #""frequency":"once""#, #""frequency":"once","interval":1"#, "interval"),
        Breakage("GET /flows/{id}", #""backfill":true"#, #""backfill":"true""#, "backfill"),
        Breakage("GET /flows", #""state":"enabled","#, "", "state"),
        Breakage("GET /flowSpecs/{id}", "draft-07", "draft-04", "$schema"),
        Breakage("GET /flowSpecs/{id}", #""type":"integer""#, #""type":"number""#, "startTime"),
    ]
}
