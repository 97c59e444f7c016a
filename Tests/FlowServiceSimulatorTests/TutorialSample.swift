import FlowRuns
import Foundation

@testable import FlowServiceSimulator

/// The flow, the requests and the answer of the on-demand tutorial.
enum TutorialSample {
    static let flowID = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let fileFlowID = FlowID("4abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let createdAt = Timestamp(milliseconds: 1_651_587_212_543)

    static let table = SimulatedFlow(id: flowID, name: "contacts", source: .table)
    static let file = SimulatedFlow(id: fileFlowID, name: "uploads", source: .file)

    static let request = #"""
        {"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":"1651584991",\#
        "windowEndTime":"16515859567","deltaColumn":{"name":"DOB"}}}
        """#

    /// The answer's members in the tutorial's order.
    static let answerFields = [
        "id", "createdAt", "updatedAt", "createdBy", "updatedBy", "createdClient", "updatedClient", "sandboxId",
        "sandboxName", "imsOrgId", "flowId", "params", "etag", "metrics", "activities",
    ]

    /// Returns a request body, by default for the table-based flow.
    static func body(
        flow: FlowID = flowID, start: String = #""1651584991""#, end: String = #""1651588591""#, column: String? = nil
    ) -> String {
        let delta = column.map { #","deltaColumn":{"name":"\#($0)"}"# } ?? ""
        return #"{"flowId":"\#(flow)","params":{"windowStartTime":\#(start),"windowEndTime":\#(end)\#(delta)}}"#
    }
}

extension SimulatedSandbox {
    /// Creates a sandbox, by default with the tutorial's two flows.
    static func tutorial(
        _ configuration: SandboxConfiguration = SandboxConfiguration(),
        flows: [SimulatedFlow] = [TutorialSample.table, TutorialSample.file]
    ) -> SimulatedSandbox {
        var sandbox = SimulatedSandbox(configuration: configuration)
        for flow in flows { sandbox.add(flow) }
        return sandbox
    }

    /// Creates a run as `POST /runs` does.
    @discardableResult
    mutating func post(_ body: String, at now: Timestamp = TutorialSample.createdAt) throws -> SimulatedRun {
        try createRun(RunCreation(body: body, client: "simulator"), at: now)
    }

    func item(_ run: SimulatedRun, at now: Timestamp) throws -> JSONValue { try json(runAnswer(run, at: now)) }
}

extension Timestamp: ExpressibleByIntegerLiteral {
    /// Creates a timestamp from milliseconds, for tests that count from 1970.
    public init(integerLiteral milliseconds: Int64) { self.init(milliseconds: milliseconds) }
}

func json(_ text: String) throws -> JSONValue {
    struct NotJSON: Error { let text: String }
    guard let value = JSONValue.parse(Data(text.utf8)) else { throw NotJSON(text: text) }
    return value
}

/// Returns the names of the outermost members, in order.
func memberNames(_ text: String) -> [String] {
    var names: [String] = []
    var depth = 0
    var string: String?
    var isEscaped = false
    var last = ""
    for character in text {
        if var open = string {
            if character == "\"", !isEscaped {
                last = open
                string = nil
            } else {
                open.append(character)
                string = open
            }
            isEscaped = character == "\\" && !isEscaped
            continue
        }
        switch character {
        case "\"": string = ""
        case "{", "[": depth += 1
        case "}", "]": depth -= 1
        case ":" where depth == 1: names.append(last)
        default: break
        }
    }
    return names
}
