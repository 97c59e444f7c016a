import Applier
import FlowRuns
import FlowService
import Foundation
import Ledger
import Synchronization

/// The Flow Service of the simulation, with the rules that matter to the protocol: what it took it has taken, a delta
/// column only fits a flow's first run, and its listing may lag.
final class ModelService: Sendable {
    struct Run: Sendable {
        let id: RunID
        let flow: FlowID
        let window: Window
        let createdAt: Timestamp
        let listedAt: Timestamp
        let maker: Maker
        /// Until then a listing does not tell its window: its copy activity has not begun.
        let hidesWindowUntil: Timestamp
    }

    enum Maker {
        case applier
        /// Other people, while appliers are at work.
        case others
        /// Other people, before anything else happened.
        case history
    }

    private struct State {
        var runs: [Run] = []
        var columns: [FlowID: DeltaColumn] = [:]
        var violations: [String] = []
        var processes = 0
    }

    private let state = Mutex(State())
    let tables: Set<FlowID>
    let time: VirtualTime
    let dice: Dice
    let longestLag: Duration

    init(tables: Set<FlowID>, time: VirtualTime, dice: Dice, longestLag: Duration) {
        self.tables = tables
        self.time = time
        self.dice = dice
        self.longestLag = longestLag
    }

    var runs: [Run] { state.withLock(\.runs) }
    var violations: [String] { state.withLock(\.violations) }
    /// Numbers the processes that use the service.
    func nextProcess() -> Int {
        state.withLock { state in
            state.processes += 1
            return state.processes
        }
    }

    func violate(_ words: String) { state.withLock { $0.violations.append(words) } }

    /// Takes a run, or says why not.
    func take(_ flow: FlowID, _ window: Window, _ column: DeltaColumn?, by maker: Maker) -> (
        run: RunID?, refusal: String?
    ) {
        let now = time.now()
        let lag = maker == .history || dice.happens(0.5) ? .zero : dice.roll(upTo: longestLag)
        let hidden = maker == .applier && dice.happens(0.05) ? now + lag + dice.roll(upTo: .seconds(200)) : .min
        return state.withLock { state in
            let isFirst = !state.runs.contains { $0.flow == flow }
            if tables.contains(flow) {
                if isFirst, column == nil { return (nil, "the first run needs a delta column") }
                let couldKnow = state.runs.contains { $0.flow == flow && $0.maker != .others }
                if maker == .applier, couldKnow, column != nil {
                    state.violations.append("a delta column was sent to \(flow) after its first run")
                }
                if let column { state.columns[flow] = state.columns[flow] ?? column }
            }
            if maker == .applier,
                state.runs.contains(where: { $0.maker == .applier && $0.flow == flow && $0.window == window })
            {
                state.violations.append(
                    "window [\(window.start.seconds), \(window.end.seconds)) of \(flow) was taken twice")
            }
            let id = RunID("run-\(state.runs.count + 1)")!
            state.runs.append(
                Run(
                    id: id, flow: flow, window: window, createdAt: now, listedAt: now + lag, maker: maker,
                    hidesWindowUntil: hidden))
            return (id, nil)
        }
    }

    func listing(of flow: FlowID) -> [ObservedRun] {
        let now = time.now()
        return state.withLock { state in
            state.runs.filter { $0.flow == flow && $0.listedAt <= now }.map { run in
                let window = now < run.hidesWindowUntil ? nil : run.window
                return ObservedRun(
                    id: run.id, window: window, createdAt: run.createdAt, status: "scheduled", end: nil)
            }
        }
    }

    func flow(_ flow: FlowID) -> ServiceFlow {
        ServiceFlow(
            id: flow, name: nil, state: "enabled", specification: nil, frequency: "once",
            deltaColumn: state.withLock { $0.columns[flow] }, lastRun: listing(of: flow).last?.id)
    }

    static func decode(_ body: String) -> (flow: FlowID, window: Window, column: DeltaColumn?)? {
        struct Body: Decodable {
            struct Column: Decodable { let name: String }
            struct Params: Decodable {
                let windowStartTime: String
                let windowEndTime: String
                let deltaColumn: Column?
            }
            let flowId: String
            let params: Params
        }
        guard let body = try? JSONDecoder().decode(Body.self, from: Data(body.utf8)), let flow = FlowID(body.flowId),
            let start = Int64(body.params.windowStartTime), let end = Int64(body.params.windowEndTime),
            let window = Window(startSeconds: start, endSeconds: end)
        else { return nil }
        return (flow, window, body.params.deltaColumn.map { DeltaColumn(name: $0.name) })
    }
}
