import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Runs from a file")
struct SimulatedRunFileTests {
    private func runs(_ text: String) throws -> [ForeignRun] { try SimulatedRunFile.runs(in: Data(text.utf8)) }

    @Test("an answer of GET /runs is read back as the same runs", arguments: SimulatedOutcome.allCases)
    func answerOfTheService(outcome: SimulatedOutcome) throws {
        var sandbox = SimulatedSandbox.tutorial()
        let run = ForeignRun(
            flow: TutorialSample.flowID, window: Window(startSeconds: 1, endSeconds: 2), createdAt: 5,
            outcome: outcome, deltaColumn: DeltaColumn(name: "DOB"), client: "somebody")
        let answer = ListEnvelope.text(ofOne: sandbox.runAnswer(sandbox.add(run), at: 100_000))
        let read = try #require(try runs(answer).first)
        #expect(read.flow == run.flow && read.window == run.window && read.createdAt == run.createdAt)
        #expect(read.deltaColumn == run.deltaColumn && read.client == run.client)
        // The status of an empty run is success.
        #expect(read.outcome == (outcome == .empty ? .success : outcome))
    }

    @Test("a run may have a later start and an explicit outcome")
    func plainList() throws {
        let run = try #require(
            try runs(
                #"[{"flowId":"\#(TutorialSample.flowID)","createdAt":1000,"outcome":"empty","params":{"windowStartTime":1,"windowEndTime":2,"startTime":9000}}]"#
            ).first)
        #expect(run.startTime == Timestamp(seconds: 9000))
        #expect(run.outcome == .empty)
    }

    @Test(
        "an error contains the position of the run",
        arguments: [
            ("x", "not JSON"), ("7", "expected a list"), ("[{}]", "run 1: flowId must be a UUID"),
            (#"[{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de"}]"#, "createdAt must be"),
            (
                #"[{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","createdAt":1,"outcome":"good"}]"#,
                "one of: success, partial"
            ),
            (
                #"[{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","createdAt":1,"params":{}}]"#,
                "params.windowStartTime is required"
            ),
        ])
    func refuses(text: String, words: String) {
        let error = #expect(throws: SimulatedRunFileError.self) { try runs(text) }
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
    }
}
