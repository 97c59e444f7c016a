import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Rules for run requests")
struct RunRulesTests {
    private func refusal(_ body: String, _ sandbox: SimulatedSandbox = .tutorial()) -> ServiceError? {
        var sandbox = sandbox
        do {
            try sandbox.post(body)
            return nil
        } catch {
            return error as? ServiceError
        }
    }

    @Test(
        "an invalid body is answered 400 with the name of the member",
        arguments: [
            ("[]", "not a JSON object"),
            ("nonsense", "not a JSON object"),
            ("{}", "flowId"),
            (#"{"flowId":7}"#, "flowId"),
            (#"{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de"}"#, "params"),
            (TutorialSample.body(start: "null"), "windowStartTime"),
            (TutorialSample.body(end: "null"), "windowEndTime"),
            (TutorialSample.body(start: "true"), "windowStartTime"),
            (TutorialSample.body(start: "1.5"), "windowStartTime"),
            (TutorialSample.body(start: "-1"), "windowStartTime"),
            (TutorialSample.body(start: #""2022-05-03""#), "windowStartTime"),
            (TutorialSample.body(start: #""99999999999999999999""#), "windowStartTime"),
            (TutorialSample.body(end: #""1651584991""#), "before"),
            (TutorialSample.body(start: #""1651588592""#), "before"),
            (TutorialSample.body(column: ""), "deltaColumn.name"),
            (TutorialSample.body().replacing("}}", with: #","deltaColumn":"DOB"}}"#), "deltaColumn"),
            (TutorialSample.body().replacing("}}", with: #","deltaColumn":{"name":7}}}"#), "deltaColumn.name"),
        ])
    func faultyBody(body: String, words: String) throws {
        let error = try #require(refusal(body))
        #expect(error.status == 400)
        #expect(error.detail.contains(words), "\(error.detail)")
    }

    @Test("an unknown flow is answered 404, even if its ID is not a UUID")
    func unknownFlow() {
        for id in ["9abea21c-7e36-4be1-bec1-d3bad0e3e0de", "contacts"] {
            let body = TutorialSample.body().replacing("\(TutorialSample.flowID)", with: id)
            #expect(refusal(body)?.status == 404)
        }
    }

    @Test("only an enabled one-time flow accepts run requests")
    func schedule() {
        let daily = SimulatedFlow(id: TutorialSample.flowID, source: .file, frequency: "day")
        let disabled = SimulatedFlow(id: TutorialSample.flowID, source: .file, state: "disabled")
        #expect(refusal(TutorialSample.body(), .tutorial(flows: [daily]))?.detail.contains("day") == true)
        #expect(refusal(TutorialSample.body(), .tutorial(flows: [disabled]))?.detail.contains("disabled") == true)
    }

    @Test("the first run of a table-based flow needs a delta column, later ones do not")
    func firstRun() throws {
        var sandbox = SimulatedSandbox.tutorial()
        #expect(refusal(TutorialSample.body(), sandbox)?.breaksDeltaColumnRule == true)
        try sandbox.post(TutorialSample.body(column: "DOB"))
        try sandbox.post(TutorialSample.body(start: "1651588591", end: "1651592191"))
        #expect(sandbox.deltaColumn(of: TutorialSample.flowID) == DeltaColumn(name: "DOB"))
    }

    @Test("a delta column is fixed: repeating it is accepted and counted, another one is rejected")
    func fixedColumn() throws {
        var sandbox = SimulatedSandbox.tutorial()
        try sandbox.post(TutorialSample.body(column: "DOB"))
        #expect(sandbox.tally.deltaColumnsRepeated == 0)
        try sandbox.post(TutorialSample.body(start: "1", column: "DOB"))
        #expect(sandbox.tally.deltaColumnsRepeated == 1)
        let error = try #require(refusal(TutorialSample.body(start: "2", column: "EMAIL"), sandbox))
        #expect(error.status == 400)
        #expect(error.detail.contains("DOB") && error.detail.contains("EMAIL"))
    }

    @Test("a flow with a delta column accepts a first run without one")
    func ownColumn() throws {
        var sandbox = SimulatedSandbox.tutorial(flows: [
            SimulatedFlow(id: TutorialSample.flowID, source: .table, deltaColumn: DeltaColumn(name: "DOB"))
        ])
        #expect(refusal(TutorialSample.body(column: "EMAIL"), sandbox) != nil)
        try sandbox.post(TutorialSample.body())
    }

    @Test("a file-based flow accepts no delta column")
    func fileColumn() throws {
        var sandbox = SimulatedSandbox.tutorial()
        #expect(refusal(TutorialSample.body(flow: TutorialSample.fileFlowID, column: "DOB"))?.status == 400)
        try sandbox.post(TutorialSample.body(flow: TutorialSample.fileFlowID))
    }

    @Test("a flow whose specification requires integers rejects strings, and vice versa")
    func specifiedTimes() throws {
        func sandbox(_ times: FlowSpecification.Times) -> SimulatedSandbox {
            .tutorial(flows: [
                SimulatedFlow(
                    id: TutorialSample.flowID, source: .file, specification: .standard(.file, times: times))
            ])
        }
        let integers = TutorialSample.body(start: "1651584991", end: "1651588591")
        #expect(refusal(TutorialSample.body(), sandbox(.integer))?.detail.contains("an integer") == true)
        #expect(refusal(integers, sandbox(.string))?.detail.contains("a string") == true)
        #expect(refusal(integers, sandbox(.integer)) == nil)
        #expect(refusal(TutorialSample.body(), sandbox(.string)) == nil)
    }

    @Test(
        "only an ended run that failed or had no records can be re-triggered",
        arguments: SimulatedOutcome.allCases)
    func retrigger(outcome: SimulatedOutcome) throws {
        var sandbox = SimulatedSandbox.tutorial()
        let window = try #require(Window(startSeconds: 1, endSeconds: 2))
        let run = sandbox.add(
            ForeignRun(flow: TutorialSample.flowID, window: window, createdAt: 0, outcome: outcome))
        #expect(throws: ServiceError.self) { try sandbox.retrigger(run.id, client: "me", at: 6999) }
        guard outcome == .failed || outcome == .empty else {
            #expect(throws: ServiceError.self) { try sandbox.retrigger(run.id, client: "me", at: 7000) }
            return
        }
        let again = try sandbox.retrigger(run.id, client: "me", at: 7000)
        #expect(again.id != run.id)
        #expect(again.window == window)
        #expect(again.outcome == .success)
        #expect(again.client == "me")
        #expect(throws: ServiceError.changed(run.id)) {
            try sandbox.retrigger(run.id, etag: "\"x\"", client: "me", at: 7000)
        }
    }

    @Test("the tally counts created runs by flow and repeated windows; re-triggers and foreign runs are separate")
    func tally() throws {
        var sandbox = SimulatedSandbox.tutorial()
        let window = try #require(Window(startSeconds: 1_651_584_991, endSeconds: 1_651_588_591))
        for outcome in [SimulatedOutcome.failed, .success] {
            sandbox.add(
                ForeignRun(flow: TutorialSample.fileFlowID, window: window, createdAt: 0, outcome: outcome))
        }
        try sandbox.retrigger(sandbox.runs[0].id, client: "me", at: 9000)
        #expect(sandbox.tally.accepted == 0)
        #expect(sandbox.tally.retriggered == 1)
        #expect(sandbox.tally.repeated.isEmpty)
        for times in [#""1651584991""#, "1651584991", "1651584991000"] {
            try sandbox.post(TutorialSample.body(flow: TutorialSample.fileFlowID, start: times))
        }
        #expect(sandbox.tally.accepted == 3)
        #expect(sandbox.tally.acceptedByFlow == [TutorialSample.fileFlowID: 3])
        #expect(sandbox.tally.repeated == [TutorialSample.fileFlowID: [window: 3]])
    }
}
