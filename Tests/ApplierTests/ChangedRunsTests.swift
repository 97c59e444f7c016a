import FlowRuns
import Ledger
import Testing

@testable import Applier

@Suite("What a refresh has to read")
struct ChangedRunsTests {
    private let flow = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    private let day: UnixMilliseconds = 86_400_000
    private var contactedAt: UnixMilliseconds { 100 * day }

    private func recorded(_ number: Int, _ state: RunState, window: Bool = true) -> RecordedRun {
        let hour = Int64(number) * 3600
        return RecordedRun(
            identity: RunIdentity(flow: flow, window: window ? Window(start: hour, end: hour + 3600) : nil),
            state: state, run: state.isAccepted ? RunID("r\(number)") : nil, recordedAt: Int64(number) * day)
    }

    private func listed(_ numbers: [Int]) -> [ObservedRun] {
        numbers.map {
            ObservedRun(run: RunID("r\($0)")!, window: nil, createdAt: Int64($0) * day, status: "success", end: nil)
        }
    }

    private func changed(
        _ runs: [RecordedRun], contacted: Bool = true, acknowledged: Set<RunID> = []
    ) -> ChangedRuns? {
        ChangedRuns(
            record: FlowRecord(flow: flow, contactedAt: contacted ? contactedAt : nil), recorded: runs,
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
