import Testing

@testable import FlowServiceSimulator

@Suite("Parsing faults")
struct FaultTests {
    @Test(
        "a fault has a kind, and optionally a scope, a time, a rate and a request number",
        arguments: [
            ("500-after:0.1", Fault(.statusAfter(500), rate: 0.1)),
            ("500-before:0.1", Fault(.status(500, nil), rate: 0.1)),
            ("503", Fault(.status(503, nil))),
            ("302-after@2", Fault(.statusAfter(302), only: 2)),
            ("429:0.2", Fault(.status(429, nil), rate: 0.2)),
            ("429-retry-after:1s", Fault(.status(429, .seconds(.seconds(1))))),
            ("429-retry-date:5s:0.5@7", Fault(.status(429, .date(.seconds(5))), rate: 0.5, only: 7)),
            ("401-once", Fault(.status(401, nil), only: 1)),
            ("reset-before", Fault(.resetBefore)),
            ("reset-after@3", Fault(.resetAfter, only: 3)),
            ("cut-answer", Fault(.cutAnswer)),
            ("wrong-length", Fault(.wrongLength)),
            ("slow:2s", Fault(.slow(.seconds(2)))),
            ("slow-before:500ms", Fault(.slowBefore(.milliseconds(500)))),
            ("slow-body:1m", Fault(.slowBody(.seconds(60)))),
            ("close-idle", Fault(.closeIdle)),
            ("huge-error", Fault(.hugeError)),
            ("html-error", Fault(.htmlError)),
            ("no-id", Fault(.noID)),
            ("get-runs/503@2", Fault(.status(503, nil), scope: .getRuns, only: 2)),
            ("any/slow:1s", Fault(.slow(.seconds(1)), scope: .any)),
        ])
    func reads(text: String, fault: Fault) throws {
        #expect(try Fault.parse(text) == fault)
    }

    @Test(
        "an invalid fault is an error that names valid ones",
        arguments: [
            ("", "known:"), ("boom", "cut-answer"), ("200", "known:"), ("500-during", "-after"),
            ("slow", "slow:2s"), ("slow:soon", "slow:2s"), ("slow:-1s", "slow:2s"),
            ("slow:99999999999999999999s", "slow:2s"),
            ("slow:48h", "slow:2s"), ("503:2", "0 to 1"), ("503:x", "0 to 1"), ("503:nan", "0 to 1"),
            ("503:0.5:1", "after the rate"), ("503@0", "'@'"), ("503@x", "'@'"), ("posts/503", "post-runs"),
        ])
    func refuses(text: String, words: String) {
        let error = #expect(throws: FaultError.self) { try Fault.parse(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("every entry of the catalogue can be parsed")
    func catalogue() throws {
        for entry in Fault.catalogue {
            let text = entry.name.replacing("STATUS", with: "503").replacing("TIME", with: "1s")
            #expect(throws: Never.self) { try Fault.parse(text) }
            #expect(!entry.meaning.isEmpty)
        }
    }

    @Test("a rate affects about that fraction of the requests, the same ones for the same seed")
    func rates() throws {
        func struck(_ seed: UInt64) throws -> [Int] {
            let plan = FaultPlan(faults: [try Fault.parse("500-after:0.1")], seed: seed)
            return (1...2000).filter { plan.fault(.postRuns, number: $0, isReused: false) != nil }
        }
        let first = try struck(1)
        #expect((150...250).contains(first.count))
        #expect(try struck(1) == first)
        #expect(try struck(2) != first)
    }

    @Test("a fault affects only its scope and its request number; close-idle only reused connections")
    func scopes() throws {
        let plan = FaultPlan(faults: try ["get-runs/503@2", "close-idle"].map(Fault.parse), seed: 1)
        #expect(plan.fault(.getRuns, number: 1, isReused: true) == nil)
        #expect(plan.fault(.getRuns, number: 2, isReused: true) == .status(503, nil))
        #expect(plan.fault(.postRuns, number: 2, isReused: false) == nil)
        #expect(plan.fault(.postRuns, number: 2, isReused: true) == .closeIdle)
    }
}
