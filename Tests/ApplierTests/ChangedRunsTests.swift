import FlowRuns
import Ledger
import Testing

@testable import Applier

@Suite("What a refresh has to read")
struct ChangedRunsTests {
    private let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private var contactedAt: Timestamp { day(100) }

    private func day(_ number: Int) -> Timestamp { Timestamp(seconds: Int64(number) * 86_400) }

    private func recorded(_ number: Int, _ state: RunState, window: Bool = true) -> RecordedRun {
        let hour = Int64(number) * 3600
        return RecordedRun(
            identity: RunIdentity(
                flow: flow, window: window ? Window(startSeconds: hour, endSeconds: hour + 3600) : nil),
            state: state, id: state.isAccepted ? RunID("r\(number)") : nil, recordedAt: day(number))
    }

    private func listed(_ numbers: [Int]) -> [ObservedRun] {
        numbers.map {
            ObservedRun(id: RunID("r\($0)")!, window: nil, createdAt: day($0), status: "success", end: nil)
        }
    }

    private func changed(
        _ runs: [RecordedRun], contacted: Bool = true, acknowledged: Set<RunID> = []
    ) -> ChangedRuns? {
        ChangedRuns(
            record: FlowRecord(id: flow, contactedAt: contacted ? contactedAt : nil), recorded: runs,
            acknowledged: acknowledged)
    }

    @Test("everything is read at first contact, and while a request is in doubt")
    func everything() {
        #expect(changed([recorded(1, .succeeded)], contacted: false) == nil)
        #expect(changed([recorded(1, .succeeded), recorded(2, .inDoubt)]) == nil)
        #expect(changed([recorded(1, .intended)]) == nil)
        #expect(changed([recorded(1, .succeeded)]) != nil)
    }

    @Test("reading ends with known runs that are older than the last look, listed newest first")
    func covered() throws {
        let reading = try #require(changed((90...99).map { recorded($0, .succeeded) }))
        #expect(reading.isCovered(by: listed([101, 99, 98, 97])))
        #expect(!reading.isCovered(by: listed([101, 100, 99])), "all of it may be newer than the last look")
        #expect(!reading.isCovered(by: listed([97, 98, 99])), "oldest first: what is new comes last")
        #expect(!reading.isCovered(by: listed([97])), "one run tells no order")
        #expect(!reading.isCovered(by: listed([101, 98, 50])), "a run made before the last look is not known")
        #expect(!reading.isCovered(by: []))
    }

    @Test("runs under way and runs of unknown window are asked for, ended and acknowledged ones are not")
    func missing() throws {
        let runs = [
            recorded(1, .accepted), recorded(2, .succeeded), recorded(3, .succeeded, window: false),
            recorded(4, .partial, window: false), recorded(5, .accepted),
        ]
        let reading = try #require(changed(runs, acknowledged: [RunID("r4")!]))
        #expect(reading.missing(from: listed([5])).map(\.description) == ["r1", "r3"])
    }

    @Test("many runs under way are looked for on further pages")
    func many() throws {
        let runs = (1...11).map { recorded($0, .accepted) } + (90...99).map { recorded($0, .succeeded) }
        let reading = try #require(changed(runs))
        #expect(!reading.isCovered(by: listed([99, 98, 97])))
        #expect(reading.isCovered(by: listed([99, 98, 97, 11])))
    }
}
