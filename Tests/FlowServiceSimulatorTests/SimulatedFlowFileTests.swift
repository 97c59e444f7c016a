import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("Flows from a file")
struct SimulatedFlowFileTests {
    private func flows(_ text: String) throws -> [SimulatedFlow] { try SimulatedFlowFile.flows(in: Data(text.utf8)) }

    @Test("an answer of GET /flows is read back as the same flows")
    func answerOfTheService() throws {
        let flows = [
            SimulatedFlow(
                id: TutorialSample.flowID, name: "contacts", source: .table, frequency: "day", state: "disabled",
                deltaColumn: DeltaColumn(name: "DOB", dateFormat: "YYYY", timezone: "UTC")),
            TutorialSample.file,
        ]
        let sandbox = SimulatedSandbox.tutorial(flows: flows)
        let answer = ListEnvelope.text(
            try sandbox.flows(ListQuery([]), at: 0), path: "/flows", countsOnly: false
        ) { sandbox.flowAnswer($0, at: 0) }
        #expect(try self.flows(answer) == flows)
    }

    @Test("a plain list may contain source and times")
    func plainList() throws {
        let flow = try #require(
            try flows(#"[{"id":"\#(TutorialSample.flowID)","source":"file","times":"integer"}]"#).first)
        #expect(flow.source == .file)
        #expect(flow.isOneTime)
        #expect(flow.specification == .standard(.file, times: .integer))
    }

    @Test(
        "an error contains the position of the flow",
        arguments: [
            ("x", "not JSON"), ("7", "expected a list"), ("[7]", "flow 1: a flow must be an object"),
            ("[{}]", "flow 1: 'id' is missing"), (#"[{"id":"x"}]"#, "must be a UUID"),
            (#"[{"id":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","name":7}]"#, "'name' must be a string"),
            (#"[{"id":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","source":"tabel"}]"#, "table, file"),
            (
                #"[{"id":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de"},{"id":"3ABEA21C-7e36-4be1-bec1-d3bad0e3e0de"}]"#,
                "flow 2: flow 1 has the same id"
            ),
            (
                #"[{"id":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","transformations":[{"name":"Copy","params":{"deltaColumn":{}}}]}]"#,
                "needs a 'name'"
            ),
        ])
    func refuses(text: String, words: String) {
        let error = #expect(throws: SimulatedFlowFileError.self) { try flows(text) }
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
    }

    @Test("an error about a missing file contains its path")
    func missingFile() {
        let error = #expect(throws: SimulatedFlowFileError.self) {
            try SimulatedFlowFile.read(path: "/nowhere/flows.json")
        }
        #expect(error?.reason.hasPrefix("/nowhere/flows.json: ") == true)
    }
}
