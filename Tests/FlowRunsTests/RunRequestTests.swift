import FlowRuns
import Testing

/// The two requests of Adobe's tutorial on on-demand ingestion, byte by byte, and the other wire forms.
@Suite("Run requests")
struct RunRequestTests {
    private let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private let window = Window(startSeconds: 1_651_584_991, endSeconds: 16_515_859_567)!

    @Test("the first request of a table-based flow matches the tutorial")
    func tableBased() {
        #expect(
            RunRequest(flow: flow, window: window, deltaColumn: DeltaColumn(name: "DOB")).body(
                WireForm(), sentAt: Timestamp(seconds: 0))
                == #"{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":"1651584991","windowEndTime":"16515859567","deltaColumn":{"name":"DOB"}}}"#
        )
    }

    @Test("the request of a file-based flow matches the tutorial")
    func fileBased() {
        #expect(
            RunRequest(flow: flow, window: window).body(WireForm(), sentAt: Timestamp(seconds: 0))
                == #"{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":"1651584991","windowEndTime":"16515859567"}}"#
        )
    }

    @Test("a wire form can have integers, milliseconds and a start time")
    func wireForms() {
        let request = RunRequest(
            flow: flow, window: Window(startSeconds: 1, endSeconds: 2)!,
            deltaColumn: DeltaColumn(name: "a\"b", dateFormat: "yyyy", timezone: "UTC"))
        #expect(
            request.body(WireForm(times: .integer, startTime: .now), sentAt: Timestamp(seconds: 9))
                == #"{"flowId":"3abea21c-7e36-4be1-bec1-d3bad0e3e0de","params":{"windowStartTime":1,"windowEndTime":2,"deltaColumn":{"name":"a\"b","dateFormat":"yyyy","timezone":"UTC"},"startTime":9}}"#
        )
        #expect(
            request.body(WireForm(times: .milliseconds), sentAt: nil).contains(
                #""windowStartTime":1000,"windowEndTime":2000"#))
    }

    @Test("an unsent request shows 'now' as its start time")
    func unsent() {
        #expect(
            RunRequest(flow: flow, window: window).body(WireForm(startTime: .now), sentAt: nil).contains(
                #""startTime":"now""#))
    }
}
