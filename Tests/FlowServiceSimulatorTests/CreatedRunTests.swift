import FlowRuns
import Foundation
import TestSupport
import Testing

@testable import FlowServiceSimulator

@Suite("The answer to POST /runs")
struct CreatedRunTests {
    @Test("the tutorial's request gets the tutorial's answer, with all members in order")
    func tutorialAnswer() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let run = try sandbox.post(TutorialSample.request)
        let answer = sandbox.createdAnswer(run)
        #expect(memberNames(answer) == TutorialSample.answerFields)
        let json = try json(answer)
        #expect(json["createdAt"] == .integer(1_651_587_212_543))
        #expect(json["flowId"] == .string("3abea21c-7e36-4be1-bec1-d3bad0e3e0de"))
        #expect(json["sandboxName"] == .string("prod"))
        #expect(json["metrics"] == .object(["statusSummary": .object(["status": .string("scheduled")])]))
        #expect(json["activities"] == .array([]))
        #expect(json["etag"]?.string?.first == "\"")
        #expect(json["etag"]?.string?.last == "\"")
        let params =
            #""params":{"windowStartTime":"1651584991","windowEndTime":"16515859567","deltaColumn":{"name":"DOB"}}"#
        #expect(answer.contains(params))
        try expectGolden("tutorial-answer.json", answer)
    }

    @Test("times and startTime are returned in the form in which they were sent")
    func paramsAsSent() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let sent =
            #"{"flowId":"\#(TutorialSample.fileFlowID)","params":{"windowStartTime":1651584991000,"windowEndTime":1651588591,"startTime":"1651590000"}}"#
        let run = try sandbox.post(sent)
        let answer = sandbox.createdAnswer(run)
        #expect(
            answer.contains(
                #""params":{"windowStartTime":1651584991000,"windowEndTime":1651588591,"startTime":"1651590000"}"#))
        #expect(run.window == Window(startSeconds: 1_651_584_991, endSeconds: 1_651_588_591))
    }

    @Test("the answer can have the shape of the newest tutorial or of the OpenAPI document")
    func shapes() throws {
        var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(answerShape: .items))
        var run = try sandbox.post(TutorialSample.request)
        let items = try json(sandbox.createdAnswer(run))
        #expect(items["items"]?.array?.first?["id"] == .string(run.id))
        #expect(items["items"]?.array?.first?["etag"] != nil)
        sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(answerShape: .idOnly))
        run = try sandbox.post(TutorialSample.request)
        #expect(memberNames(sandbox.createdAnswer(run)) == ["id", "etag"])
    }

    @Test("IDs are UUIDs that depend only on the seed")
    func ids() throws {
        func ids(_ seed: UInt64) throws -> [String] {
            var sandbox = SimulatedSandbox.tutorial(SandboxConfiguration(seed: seed))
            return try (0..<100).map {
                try sandbox.post(TutorialSample.body(flow: TutorialSample.fileFlowID, start: "\($0 + 1)")).id
            }
        }
        let first = try ids(1)
        #expect(try ids(1) == first)
        #expect(Set(first).count == 100)
        #expect(Set(first).isDisjoint(with: try ids(2)))
        #expect(first.allSatisfy { UUID(uuidString: $0) != nil && $0.dropFirst(14).first == "4" })
    }

    private func expectGolden(_ name: String, _ text: String) throws {
        #expect(try GoldenFile("Golden/\(name)").text(updatingTo: text + "\n") == text + "\n")
    }
}
