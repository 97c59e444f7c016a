import FlowRuns
import Foundation
import Planner
import TestSupport
import Testing
import Text

@testable import Reports

@Suite("Saved plans")
struct PlanFileTests {
    @Test("the text of a saved plan, golden")
    func golden() throws {
        try expectGolden(text(planJSON(Sample.plan([Sample.troubled, Sample.broken]))), "plan.json")
    }

    @Test("a saved plan is read back unchanged", arguments: WireForm.Times.allCases)
    func roundTrip(_ times: WireForm.Times) throws {
        let form = WireForm(times: times, startTime: times == .integer ? .now : .omit)
        let flows = [Sample.firstRun, Sample.troubled, Sample.held, Sample.broken, Sample.quiet]
        let plan = Sample.plan(flows, wireForm: form)
        #expect(try readPlan(planJSON(plan)) == plan)
        #expect(try readPlan(planJSON(Sample.plan([]))) == Sample.plan([]))
    }

    @Test("a plan written in parts equals a plan written at once")
    func pieces() {
        let plan = Sample.plan([Sample.flow(1, "contacts", actions: Sample.creates(3000, from: Timestamp(seconds: 0)))])
        var pieces: [[UInt8]] = []
        writePlan(plan) { pieces.append($0) }
        #expect(pieces.count > 3)
        #expect(Array(pieces.joined()) == planJSON(plan))
    }

    @Test("an error of the writer is rethrown, and the writer is not called again")
    func failingWriter() {
        struct DiskFull: Error {}
        var calls = 0
        #expect(throws: DiskFull.self) {
            try writePlan(Sample.everything) { _ throws(DiskFull) in
                calls += 1
                throw DiskFull()
            }
        }
        #expect(calls == 1)
    }

    @Test("any changed byte is detected")
    func edited() {
        let bytes = planJSON(Sample.plan([Sample.troubled]))
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var changed = bytes
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            changed[index] = changed[index] == 0x31 ? 0x32 : 0x31
            guard changed != bytes else { continue }
            #expect(throws: PlanFileError.self) { try readPlan(changed) }
        }
    }

    @Test("a window edited by hand is rejected as edited")
    func editedWindow() {
        let plan = text(planJSON(Sample.plan([Sample.troubled]))).replacing("1704067200", with: "1704067201")
        #expect(throws: PlanFileError.edited) { try readPlan(Array(plan.utf8)) }
    }

    @Test("a truncated plan is rejected")
    func cutOff() {
        let bytes = planJSON(Sample.plan([Sample.broken]))
        for length in stride(from: 0, to: bytes.count, by: 37) {
            #expect(throws: PlanFileError.self) { try readPlan(Array(bytes.prefix(length))) }
        }
    }

    @Test("a newer format version is rejected with its number")
    func newer() {
        #expect(throws: PlanFileError.newer(version: 7)) { try readPlan(Array(#"{"formatVersion": 7}"#.utf8)) }
    }

    @Test(
        "garbage is rejected",
        arguments: ["", "hello", "[]", "{}", "{\"formatVersion\":\"1\"}", "\u{0}", "{\"formatVersion\":1}"])
    func garbage(_ garbage: String) {
        #expect(throws: PlanFileError.self) { try readPlan(Array(garbage.utf8)) }
    }

    @Test(
        "impossible values are rejected even with a valid digest",
        arguments: [
            (#""start":1704067200,"#, #""start":9223372036854775807,"#),
            (#""recorded": 340,"#, #""recorded": 9223372036854775807,"#),
            (#""windowStartTime":"1704070800""#, #""windowStartTime":"1704070801""#),
            (#""kind":"rerun""#, #""kind":"delete""#),
        ])
    func forged(_ before: String, _ after: String) throws {
        let plan = text(planJSON(Sample.plan([Sample.troubled])))
        try #require(plan.contains(before))
        #expect(throws: PlanFileError.self) { try readPlan(signed(plan.replacing(before, with: after))) }
        #expect(throws: Never.self) { try readPlan(signed(plan)) }
    }

    @Test("thousands of actions are read back completely")
    func large() throws {
        let plan = Sample.plan([
            Sample.flow(
                1, "x",
                actions: Sample.creates(2000, from: Timestamp(seconds: 0), length: .seconds(60), gap: .seconds(1)))
        ])
        #expect(try readPlan(planJSON(plan)) == plan)
    }
}
