import FlowRuns
import Testing

@testable import FlowServiceSimulator

@Suite("The Date header")
struct DateHeaderTests {
    @Test(
        "a date has the HTTP format",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_651_587_217, "Tue, 03 May 2022 14:13:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func text(seconds: Int64, text: String) { #expect(HTTPDate.text(Timestamp(seconds: seconds)) == text) }

    @Test("every answer has a Date, including injected failures")
    func header() async throws {
        let configuration = FlowServiceSimulator.Configuration(
            faults: [try Fault.parse("503@2")], now: { Timestamp(seconds: 1_651_587_217) })
        try await withSimulator(configuration) { simulator async throws in
            for status in [201, 503] {
                let answer = try await simulator.post(TutorialSample.request)
                #expect(answer.status == status)
                #expect(answer.headers["date"] == "Tue, 03 May 2022 14:13:37 GMT")
            }
        }
    }

    @Test("the Date can be disabled")
    func missing() async throws {
        try await withSimulator(FlowServiceSimulator.Configuration(sendsDate: false)) { simulator async throws in
            let answer = try await simulator.post(TutorialSample.request)
            #expect(answer.status == 201)
            #expect(answer.headers["date"] == nil)
        }
    }
}
