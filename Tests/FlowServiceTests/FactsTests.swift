import AsyncHTTPClient
import FlowServiceSimulator
import NIOCore
import Testing

@testable import FlowService

@Suite("The client's requests and the simulator's answers fit the facts, field by field", .timeLimit(.minutes(2)))
struct FactsTests {
    @Test("whatever is asked and answered has the members of the facts and no others", arguments: FactTour.allCases)
    func fits(tour: FactTour) async throws {
        let exchanges = try await tour.exchanges()
        #expect(!exchanges.isEmpty)
        let mismatches = exchanges.flatMap { exchange in
            Facts.mismatches(in: exchange).map { "\(exchange): \($0)" }
        }
        #expect(mismatches == [])
    }

    @Test("no fact goes unchecked: what neither side ever says is listed, and nothing else is left out")
    func complete() async throws {
        let exchanges = try await FactTour.everything()
        var met: Set<String> = []
        for exchange in exchanges {
            met.formUnion(Facts.row(for: exchange)?.findings(in: exchange).met ?? [])
        }
        let unmet = Facts.all.reduce(into: Set<String>()) { $0.formUnion($1.facts) }.subtracting(met)
        #expect(unmet.sorted() == Self.neverSaid.sorted())
    }

    /// What only the real service says, or takes: the client must live with it, see its own tests.
    private static var neverSaid: [String] {
        let ofRun = [
            "eTag", "activites", "metrics.recordSummary.createdRecordCount", "activities[].name",
            "activities[].recordSummary.createdRecordCount",
        ]
        let ofRuns = ["GET /runs", "GET /runs/{id}"].flatMap { row in ofRun.map { "\(row) answer.items[].\($0)" } }
        return ofRuns + ["GET /flows query.property"]
    }

    @Test("a call without a token is answered 403, as is documented [O]")
    func missingToken() async throws {
        try await FactsWorld.exchanges { world in
            let request = HTTPClientRequest(url: "\(world.simulator.baseURL)\(Facts.base)/flows")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            _ = try await response.body.collect(upTo: 1 << 20)
            #expect(response.status.code == 403)
        }
    }

    @Test("whatever is otherwise than the facts have it is found, with its path")
    func breakages() async throws {
        let exchanges = try await FactTour.everything()
        for breakage in Breakage.all {
            let broken = exchanges.lazy.compactMap { breakage.broken($0) }.first
            let paths = try #require(broken.map { Facts.mismatches(in: $0).map(\.path) }, "\(breakage)")
            #expect(paths.contains(breakage.path), "\(breakage): found at \(paths)")
        }
    }

    @Test("an exchange that no fact speaks of is a mismatch")
    func unknownEndpoint() {
        for (method, path) in [
            ("DELETE", "\(Facts.base)/runs"), ("GET", "\(Facts.base)/run"), ("GET", "/runs"), ("POST", "/ims/token/v2"),
            ("GET", "\(Facts.base)/runs/"), ("POST", "\(Facts.base)/runs/a/b/action"),
        ] {
            let mismatches = Facts.mismatches(in: Exchange(method: method, path: path, status: 200))
            #expect(mismatches.map(\.path) == ["path"])
        }
    }

    @Test(
        "JSON keeps the order of members, those that come twice, and every digit",
        arguments: [
            (#"{"b":1,"a":[],"b":true}"#, ["b the number 1", "a an array of 0", "b the truth value true"]),
            (
                #"{ "n" : 9223372036854775807 , "x" : -1.50e3 }"#,
                ["n the number 9223372036854775807", "x the number -1.50e3"]
            ),
            (#"{"quoted \"\u00e9\\":"\"a\"","z":null}"#, [#"quoted "é\ the string '"a"'"#, "z null"]),
        ])
    func json(text: String, members: [String]) throws {
        guard case .object(let read) = try WireJSON(text) else {
            Issue.record("it is no object")
            return
        }
        #expect(read.map { "\($0.name) \($0.value.words)" } == members)
    }

    @Test(
        "what is no JSON is not read",
        arguments: ["", "{", "[1,]", "{\"a\"}", "{\"a\":}", "[1 2]", "\"a", "\"a\\", "nul", "1x", "+1", "{}}", "inf"])
    func noJSON(text: String) {
        #expect(throws: WireJSON.Unreadable.self) { try WireJSON(text) }
    }
}
