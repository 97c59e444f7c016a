import FlowRuns
import Ledger
import Manifests

@testable import Planner

/// A flow with its declarations and its recorded runs, in small numbers: window `0..<10` is `[0, 10)`.
struct SampleFlow {
    static let id = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!
    static let replacedID = FlowID("0dd0dd0d-7e36-4be1-bec1-d3bad0e3e0de")!
    static let place = Place(file: "flows.yaml", line: 1, column: 1)
    static let columnPlace = Place(file: "flows.yaml", line: 2, column: 3)

    var source = SourceKind.file
    var column: DeltaColumn?
    var overlap = FlowDeclaration.Overlap.error
    var retryFailed = 0
    var retriedStates: Set<Retries.State> = [.failed]
    var expectation: Expectation?
    var order = FlowDeclaration.Order.oldestFirst
    var runsPerDay: Int?
    var priority = 0
    /// The explicit windows; each is declared on a line of its own, from 101 on.
    var windows: [Range<Int64>] = []
    var series: [Series] = []
    var batch: Series.Step?
    var reruns: [Rerun] = []
    var acknowledged: [Acknowledgement] = []
    var pauses: [Pause] = []
    /// The runs of the flow that this flow replaces.
    var replacedRuns: [RecordedRun] = []
    var record = FlowRecord(id: id, revision: Revision(number: 7), contactedAt: Timestamp(milliseconds: 5000))
    var runs: [RecordedRun] = []
    var predecessors: [Predecessor] = []
    var asOf = Timestamp(seconds: 1000)

    var declaration: FlowDeclaration {
        FlowDeclaration(
            id: Self.id, name: "contacts", manifest: "crm", owner: "data", target: "prod", source: source,
            deltaColumn: column.map { DeclaredColumn(column: $0, place: Self.columnPlace) }, overlap: overlap,
            retries: Retries(retryFailed, of: retriedStates), expectation: expectation, order: order,
            runsPerDay: runsPerDay, priority: priority,
            windows: windows.enumerated().map {
                DeclaredWindow(window: Window($1), line: UInt32(101 + $0), column: 7)
            },
            series: series, batch: batch, reruns: reruns, acknowledged: acknowledged, pauses: pauses,
            replaced: replacedRuns.isEmpty ? [] : [Self.replacedID], place: Self.place)
    }

    var plan: FlowPlan {
        Planner(asOf: asOf).plan(
            declaration, record: record, runs: runs.sorted(by: RecordedRun.isBefore), replaced: replaced,
            predecessors: predecessors)
    }

    var replaced: [FlowSnapshot] {
        guard !replacedRuns.isEmpty else { return [] }
        let record = FlowRecord(id: Self.replacedID, contactedAt: Timestamp(milliseconds: 5000))
        return [FlowSnapshot(record: record, runs: replacedRuns.sorted(by: RecordedRun.isBefore))]
    }
}

extension Window {
    init(_ range: Range<Int64>) { self.init(startSeconds: range.lowerBound, endSeconds: range.upperBound)! }

    var range: Range<Int64> { start.seconds..<end.seconds }
}

extension RecordedRun {
    /// Creates a run whose ID is made from its window, rerun and attempt: `10-fix-2`.
    init(
        _ range: Range<Int64>?, _ state: RunState, rerun: String? = nil, attempt: Int = 1, id: String? = nil,
        column: String? = nil, at seconds: Int64 = 100, failure: String? = nil, of flow: FlowID = SampleFlow.id,
        records: Int64? = nil
    ) {
        let name = id ?? "\(range?.lowerBound ?? 0)-\(rerun ?? "")-\(attempt)"
        self.init(
            identity: RunIdentity(
                flow: flow, window: range.map { Window($0) }, rerun: rerun, attempt: attempt),
            state: state, id: state.isAccepted ? RunID(name) : nil, deltaColumn: column.map { DeltaColumn(name: $0) },
            recordedAt: Timestamp(seconds: seconds), failure: failure,
            records: records)
    }

    /// Compares runs in ledger order.
    static func isBefore(_ left: RecordedRun, _ right: RecordedRun) -> Bool {
        func key(_ run: RecordedRun) -> (Timestamp, Timestamp, String, Int) {
            (run.window?.start ?? .min, run.window?.end ?? .min, run.identity.rerun ?? "", run.identity.attempt)
        }
        return key(left) < key(right)
    }
}

extension Rerun {
    init(_ range: Range<Int64>, isRange: Bool = false, _ id: String, line: Int = 201) {
        self.init(
            window: Window(range), isRange: isRange, id: id, reason: "late files",
            place: Place(file: "flows.yaml", line: line, column: 7)
        )
    }
}

extension Series {
    /// Creates a series with windows of the given number of seconds.
    init(every seconds: Int64, _ range: Range<Int64>, line: Int = 301) {
        self.init(
            every: .fixed(.seconds(seconds)), from: Timestamp(seconds: range.lowerBound),
            until: .time(Timestamp(seconds: range.upperBound)),
            place: Place(file: "flows.yaml", line: line, column: 7))
    }
}

extension FlowPlan {
    var ranges: [Range<Int64>] { actions.map(\.window.range) }
    var codes: [DiagnosticCode] { diagnostics.map(\.code) }
    var lines: [Int?] { diagnostics.map { $0.place?.line } }
}
