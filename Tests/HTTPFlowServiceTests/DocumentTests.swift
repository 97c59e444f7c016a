import FlowRuns
import Testing

@testable import FlowService
@testable import HTTPFlowService

@Suite("Runs in the service's JSON")
struct RunDocumentTests {
    private static let listedAt = Timestamp(seconds: 1_700_000_000)

    private func run(_ json: String) throws -> ObservedRun {
        try #require(RunDocument(document: JSONDocument(Array(json.utf8)), listedAt: Self.listedAt).observed)
    }

    @Test("the tutorial's answer is parsed")
    func tutorial() throws {
        let expected = ObservedRun(
            id: Tutorial.run, window: Tutorial.window, createdAt: Timestamp(milliseconds: 1_651_587_212_543),
            createdClient: "client", status: "scheduled", end: nil)
        #expect(try run(Tutorial.wholeRun) == expected)
    }

    @Test("the run of the monitoring tutorial is partial, and its window is in the copy activity, in milliseconds")
    func monitored() throws {
        let json = #"""
            {"id":"9830305a-985f-47d0-b030-5a985fd7d004","flowId":"c9cef9cb-c934-4467-8ef9-cbc934546741",
            "metrics":{"durationSummary":{"startedAtUTC":1596656058198,"completedAtUTC":1596656113306},
            "recordSummary":{"inputRecordCount":100,"outputRecordCount":"99","failedRecordCount":1},
            "fileSummary":{"inputFileCount":1,"outputFileCount":1},
            "statusSummary":{"status":"success","errors":[{"code":"CONNECTOR-2001-500","message":"Error parsing\nrow"}]}},
            "activites":[{"id":"promotionActivity","durationSummary":{"extensions":{}}},
            {"id":"2b7a","name":"Google Cloud Storage Copy Activity",
            "durationSummary":{"extensions":{"windowStart":1596653708000,"windowEnd":1596655508000}}}]}
            """#
        let expected = ObservedRun(
            id: try #require(RunID("9830305a-985f-47d0-b030-5a985fd7d004")),
            window: Window(startSeconds: 1_596_653_708, endSeconds: 1_596_655_508),
            createdAt: Timestamp(milliseconds: 1_596_656_058_198), status: "success",
            end: RunEnd(state: .partial, failure: "CONNECTOR-2001-500: Error parsing row"),
            endedAt: Timestamp(milliseconds: 1_596_656_113_306),
            counts: RunCounts(inputRecords: 100, outputRecords: 99, failedRecords: 1, inputFiles: 1))
        #expect(try run(json) == expected)
    }

    @Test(
        "the window in the parameters may be strings or numbers, in seconds or milliseconds",
        arguments: [
            #"{"windowStartTime":"1651584991","windowEndTime":"1651588591"}"#,
            #"{"windowStartTime":1651584991,"windowEndTime":1651588591}"#,
            #"{"windowStartTime":1651584991000,"windowEndTime":1651588591000}"#,
            #"{"windowStartTime":"1651584991000","windowEndTime":1651588590001}"#,
            #"{"windowStartTime":1651584991.0,"windowEndTime":1.651588591e9}"#,
        ])
    func windows(params: String) throws {
        let run = try run(#"{"id":"a","params":\#(params)}"#)
        #expect(run.window == Window(startSeconds: 1_651_584_991, endSeconds: 1_651_588_591))
    }

    @Test(
        "an absent, invalid or reversed window is unknown",
        arguments: [
            "null", "{}", "[]", #"{"windowStartTime":"1651584991"}"#, #"{"windowStartTime":true,"windowEndTime":2}"#,
            #"{"windowStartTime":"soon","windowEndTime":"later"}"#, #"{"windowStartTime":20,"windowEndTime":10}"#,
            #"{"windowStartTime":10,"windowEndTime":10}"#, #"{"windowStartTime":1e300,"windowEndTime":-1e300}"#,
            #"{"windowStartTime":-9223372036854775808,"windowEndTime":9223372036854775807}"#,
            #"{"windowStartTime":1.5,"windowEndTime":2.5}"#, #"{"windowStartTime":"","windowEndTime":{}}"#,
        ])
    func unknownWindow(params: String) throws {
        let run = try run(#"{"id":"a","params":\#(params)}"#)
        #expect(run.window == nil || params.contains("-9223372036854775808"))
        #expect(run.status == "unknown")
    }

    @Test(
        "the status ignores case, and a run with an unknown status has not ended",
        arguments: [
            ("success", RunState.succeeded), ("SUCCESS", .succeeded), ("Failed", .failed), ("partialSuccess", .partial),
            ("cancelled", .failed), ("Canceled", .failed), ("aborted", .failed), ("scheduled", nil),
            ("inProgress", nil),
            ("pending", nil), ("", nil),
        ])
    func states(word: String, state: RunState?) throws {
        let run = try run(#"{"id":"a","metrics":{"statusSummary":{"status":"\#(word)"}}}"#)
        #expect(run.end?.state == state)
        #expect(run.status == word)
    }

    @Test("a success with failed records is partial, and their number is the failure")
    func failedRecords() throws {
        let json =
            #"{"id":"a","metrics":{"statusSummary":{"status":"success"},"recordSummary":{"failedRecordCount":3}}}"#
        #expect(try run(json).end == RunEnd(state: .partial, failure: "3 records failed"))
    }

    @Test("the errors of records are added to the run's own error")
    func recordErrors() throws {
        let json = #"""
            {"id":"a","metrics":{"statusSummary":{"status":"success","errors":[{"code":"C-1","message":"some failed"}]}},
            "activities":[{"id":"promotionActivity","statusSummary":{"status":"success","extensions":
            {"errors":[{"code":"M-2","recordCount":3,"message":"not a date"}]}}}]}
            """#
        #expect(try run(json).end == RunEnd(state: .partial, failure: "C-1: some failed; M-2: not a date (3 records)"))
    }

    @Test("a failure has codes and messages without duplicates, at most five")
    func failures() throws {
        let errors = ([0, 0] + Array(0..<7)).map { #"{"code":"E-\#($0)","message":"m\#($0)"}"# }.joined(separator: ",")
        let json =
            #"{"id":"a","activities":[{"statusSummary":{"errors":[\#(errors)]}}],"metrics":{"statusSummary":{"status":"failed"}}}"#
        #expect(try run(json).end?.failure == "E-0: m0; E-1: m1; E-2: m2; E-3: m3; E-4: m4; and 2 more")
    }

    @Test("a cancelled run has failed, and its status is part of the failure")
    func cancelled() throws {
        let json = #"{"id":"a","status":"Cancelled"}"#
        #expect(try run(json).end == RunEnd(state: .failed, failure: "Cancelled"))
        let told = #"{"id":"a","metrics":{"statusSummary":{"status":"aborted","errors":[{"code":"E-1"}]}}}"#
        #expect(try run(told).end == RunEnd(state: .failed, failure: "aborted: E-1"))
    }

    @Test("the copy activity's window is always in milliseconds, with either spelling of the activities")
    func oldWindow() throws {
        for activities in ["activities", "activites"] {
            let json = #"""
                {"id":"a","activities":[],"\#(activities)":[{"durationSummary":{"extensions":
                {"windowStart":86400000,"windowEnd":90000000}}}]}
                """#
            #expect(try run(json).window == Window(startSeconds: 86_400, endSeconds: 90_000))
        }
    }

    @Test("counts of -1 are unknown and do not make a success partial")
    func unknownCounts() throws {
        let json = #"""
            {"id":"a","metrics":{"statusSummary":{"status":"success"},"fileSummary":{"inputFileCount":-1},
            "recordSummary":{"inputRecordCount":-1,"outputRecordCount":5,"failedRecordCount":-1}}}
            """#
        let run = try run(json)
        #expect(run.counts == RunCounts(outputRecords: 5))
        #expect(run.end == RunEnd(state: .succeeded))
    }

    @Test(
        "a run without createdAt has the next best time, or else the time of the listing",
        arguments: [
            (#""createdAt":1651587212543,"updatedAt":1651587223839"#, 1_651_587_212_543),
            (#""createdAt":"1651587212","updatedAt":1651587223839"#, 1_651_587_212_000),
            (#""updatedAt":1651587223839"#, 1_651_587_223_839),
            (#""metrics":{"durationSummary":{"startedAtUTC":1596656058198}}"#, 1_596_656_058_198),
            (#""createdAt":null"#, 1_700_000_000_000),
        ])
    func createdAt(members: String, milliseconds: Int64) throws {
        #expect(try run(#"{"id":"a",\#(members)}"#).createdAt == Timestamp(milliseconds: milliseconds))
    }

    @Test("a document without an ID is not a run")
    func noID() {
        #expect(RunDocument(document: JSONDocument(Array("{}".utf8)), listedAt: Self.listedAt).observed == nil)
    }
}

@Suite("Flows in the service's JSON")
struct FlowDocumentTests {
    @Test("the delta column is read from the copy transformation")
    func deltaColumn() {
        let json = #"""
            {"id":"3ABEA21C-7e36-4be1-bec1-d3bad0e3e0de","name":"contacts","state":"enabled","version":2,
            "flowSpec":{"id":"14518937-270c-4525-bdec-c2ba7cce3860","version":"1.0"},
            "scheduleParams":{"startTime":"1651584991","frequency":"once"},
            "transformations":[{"name":"Mapping","params":{"deltaColumn":{"name":"no"}}},
            {"name":"copy","params":{"deltaColumn":{"name":"DOB","dateFormat":"yyyy","timezone":"UTC"},"mode":"append"}}]}
            """#
        let expected = ServiceFlow(
            id: Tutorial.flow, name: "contacts", state: "enabled",
            specification: "14518937-270c-4525-bdec-c2ba7cce3860", frequency: "once",
            deltaColumn: DeltaColumn(name: "DOB", dateFormat: "yyyy", timezone: "UTC"))
        #expect(FlowDocument(document: JSONDocument(Array(json.utf8))).flow == expected)
    }

    @Test("missing members are nil")
    func bare() {
        let json = #"{"id":"\#(Tutorial.flow)","transformations":[{"name":"Copy","params":{"deltaColumn":{}}},{}]}"#
        let expected = ServiceFlow(
            id: Tutorial.flow, name: nil, state: nil, specification: nil, frequency: nil, deltaColumn: nil)
        #expect(FlowDocument(document: JSONDocument(Array(json.utf8))).flow == expected)
    }
}
