import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

/// The requests of a widely used client of the service, with percent-encoded filters, `count=False` on each list, and
/// tokens cut from the link at its first `=`.
@Suite("A third-party client")
struct ThirdPartyClientTests {
    private static let base = "/data/foundation/flowservice"

    private func items(_ simulator: RunningSimulator, _ query: String) async throws -> [JSONValue] {
        let answer = try await simulator.call("GET", Self.base + query)
        #expect(answer.status == 200, "\(query): \(answer.body)")
        return try #require(try json(answer.body)["items"]?.array)
    }

    @Test("the client reads all pages of runs, ten at a time")
    func pages() async throws {
        try await withSimulator { simulator async throws in
            try await simulator.add(
                runs: (0..<25).map {
                    ForeignRun(
                        flow: TutorialSample.flowID, window: nil, createdAt: Timestamp(milliseconds: Int64($0) * 1000))
                })
            let filters = "property=flowId%3D%3D\(TutorialSample.flowID)"
            var answer = try json(
                try await simulator.call("GET", "\(Self.base)/runs?limit=10&count=False&\(filters)").body)
            var runs = try #require(answer["items"]?.array)
            while let href = answer["_links"]?["next"]?["href"]?.string {
                let token = href.split(separator: "=")[1]
                answer = try json(
                    try await simulator.call(
                        "GET", "\(Self.base)/runs?limit=10&count=False&\(filters)&continuationToken=\(token)"
                    ).body)
                runs += answer["items"]?.array ?? []
            }
            #expect(Set(runs.compactMap { $0["id"]?.string }).count == 25)
            #expect(runs.count == 25)
            let count = try json(try await simulator.call("GET", "\(Self.base)/runs?limit=10&count=True").body)
            #expect(count == .object(["count": .integer(25)]))
        }
    }

    @Test("the client filters runs by flow and status, by state, by several IDs and by metrics")
    func runs() async throws {
        try await withSimulator { simulator async throws in
            try await simulator.add(
                runs: SimulatedOutcome.allCases.map {
                    ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: 0, outcome: $0)
                })
            let all = try await items(simulator, "/runs?limit=10&count=False")
            let ids = all.compactMap { $0["id"]?.string }
            #expect(ids.count == 4)
            for (query, count) in [
                ("property=flowId%3D%3D\(TutorialSample.flowID)&property=metrics.statusSummary.status%3D%3Dfailed", 1),
                ("property=flowId==\(TutorialSample.fileFlowID)&property=metrics.statusSummary.status==failed", 0),
                ("property=metrics.statusSummary.status==Failed", 1), ("property=state==success", 3),
                ("property=state==inProgress", 0), ("property=name==contacts", 4),
                ("property=id==\(ids[0]),\(ids[2])", 2), ("property=metrics.recordSummary.failedRecordCount%3E0", 2),
                ("property=metrics.durationSummary.startedAtUTC%3E1593134665781", 0),
                ("property=metrics.durationSummary.startedAtUTC%3E1999", 4),
                ("property=activities[].id==promotionActivity", 3),
            ] {
                #expect(try await items(simulator, "/runs?limit=10&\(query)").count == count, "\(query)")
            }
            let one = try await items(simulator, "/runs/\(ids[1])")
            #expect(one.first?["id"]?.string == ids[1])
        }
    }

    @Test("the client finds flows by kind, last run, state and ID, and reads the required members")
    func flows() async throws {
        try await withSimulator { simulator async throws in
            try await simulator.add(runs: [ForeignRun(flow: TutorialSample.flowID, window: nil, createdAt: 0)])
            for (query, count) in [
                ("property=inheritedAttributes.properties.isSourceFlow%3D%3Dtrue", 2),
                ("property=inheritedAttributes.properties.isDestinationFlow==true", 0),
                ("property=lastRunDetails.startedAtUTC%3E%3D2000", 1), ("property=state==enabled&orderby=createdAt", 2),
                ("property=id==\(TutorialSample.flowID)", 1), ("property=transformations[].name==Mapping", 2),
            ] {
                #expect(try await items(simulator, "/flows?limit=100&count=False&\(query)").count == count, "\(query)")
            }
            let flow = try #require(try await items(simulator, "/flows/\(TutorialSample.flowID)").first)
            #expect(flow["inheritedAttributes"]?["targetConnections"]?.array?.first?["connectionSpec"]?["id"] != nil)
            #expect(flow["sourceConnectionIds"]?.array?.count == 1)
            let count = try json(try await simulator.call("GET", "\(Self.base)/flows?count=true").body)
            #expect(count == .object(["count": .integer(2)]))
        }
    }

    @Test("the client lists flow specifications, and reads them by name and by ID")
    func specifications() async throws {
        try await withSimulator { simulator async throws in
            let all = try await items(simulator, "/flowSpecs")
            #expect(all.compactMap { $0["name"]?.string } == ["CRMToAEP", "CloudStorageToAEP"])
            let named = try await items(simulator, "/flowSpecs?property=name%3D%3DCloudStorageToAEP")
            let id = try #require(named.first?["id"]?.string)
            #expect(named.count == 1)
            #expect(try await items(simulator, "/flowSpecs/\(id)") == named)
        }
    }

    @Test("a run has a client derived from the API key, the key itself is not stored, and foreign runs differ")
    func clients() async throws {
        try await withSimulator { simulator async throws in
            for (start, key) in [("1", "key-one"), ("2", "key-two"), ("3", "key-one")] {
                let body = TutorialSample.body(flow: TutorialSample.fileFlowID, start: start)
                let headers = goodHeaders.merging(["x-api-key": key]) { $1 }
                #expect(try await simulator.call("POST", "/runs", body: body, headers: headers).status == 201)
            }
            try await simulator.add(runs: [ForeignRun(flow: TutorialSample.fileFlowID, window: nil, createdAt: 0)])
            let runs = try await items(simulator, "/runs?orderby=createdAt")
            let clients = runs.compactMap { $0["createdClient"]?.string }
            #expect(clients.count == 4)
            #expect(clients[1] == clients[3])
            #expect(Set(clients).count == 3)
            #expect(!clients.contains { $0.contains("key-") })
        }
    }
}
