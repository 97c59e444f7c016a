import FlowRuns
import Foundation
import GitLedger
import Ledger
import TestSupport
import Testing

@Suite("Grouping of pushes")
struct GroupingTests {
    private func flow(_ number: Int) -> FlowID { FlowID("00000000-0000-4000-8000-0000000000\(number + 10)")! }

    @Test("concurrent commits of many flows are sent in one push")
    func grouped() async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        try fixture.repository.setHook("post-receive", "echo >> '\(fixture.repository.home)/pushes'")
        _ = try await store.flows()
        let results = try await withThrowingTaskGroup(of: CommitResult.self) { group in
            for number in 0..<20 {
                let flow = flow(number)
                group.addTask { try await store.claim(day: 0, nonce: "n\(number)", flow: flow) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: .done, count: 20))
        let pushes = try String(contentsOfFile: fixture.repository.home + "/pushes", encoding: .utf8).count
        // One of the two pushes of the probe was rejected; the others must be far fewer than the flows.
        #expect(pushes <= 5)
        #expect(try await fixture.open(machine: "b").flows().count == 20)
    }

    @Test("in one push, a conflict of one flow does not affect other flows")
    func independent() async throws {
        let fixture = try GitFixture()
        let (store, rival) = (fixture.open(), fixture.open(machine: "b"))
        _ = try await store.flows()
        #expect(try await rival.claim(day: 1, nonce: "rival", flow: flow(0)) == .done)
        let results = try await withThrowingTaskGroup(of: (Int, CommitResult).self) { group in
            for number in 0..<6 {
                let flow = flow(number)
                group.addTask {
                    var ledger = FlowLedger(FlowSnapshot(record: FlowRecord(id: flow), runs: []))
                    try ledger.claim(day: 0, flow: flow)
                    return (number, try await store.commit(ledger.commit(nonce: "n\(number)")))
                }
            }
            return try await group.reduce(into: [Int: CommitResult]()) { $0[$1.0] = $1.1 }
        }
        #expect(results[0] == .conflict)
        #expect((1..<6).allSatisfy { results[$0] == .done })
    }

    @Test("pushes respect the configured rate")
    func paced() async throws {
        let fixture = try GitFixture()
        let store = fixture.open(pushesPerMinute: 120)
        let start = ContinuousClock.now
        for day in 0..<4 { #expect(try await store.claim(day: Int64(day), nonce: "n\(day)") == .done) }
        #expect(ContinuousClock.now - start >= .milliseconds(1500))
    }

    @Test("many flows are added in few pushes of bounded size")
    func added() async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        try fixture.repository.setHook("post-receive", "wc -l >> '\(fixture.repository.home)/pushes'")
        let flows = (0..<450).map { number in
            let digits = String(number)
            let id = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
            let record = FlowRecord(id: FlowID(id)!, revision: Revision(number: 1, token: ""))
            return NewFlow(record: record, expecting: Revision()) { { () throws(LedgerError) in [] } }
        }
        try await store.add(flows)
        try await store.add(flows)
        #expect(try await fixture.open(machine: "b").flows().map(\.id) == flows.map(\.record.id))
        let pushes = try String(contentsOfFile: fixture.repository.home + "/pushes", encoding: .utf8)
            .split(separator: "\n").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        #expect(pushes.allSatisfy { $0 <= 200 })
        #expect(pushes.count < 20, "\(pushes)")
    }
}
