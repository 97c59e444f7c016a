import Applier
import FlowRuns
import FlowService
import Foundation
import Manifests
import Planner
import Reports
import Synchronization

/// Shows the progress of an apply: a bar on a terminal, plain lines elsewhere, or JSON Lines.
final class ApplyProgress: Sendable {
    private struct State {
        var requests = 0
        var settled = 0
        var refused = 0
        var begun = Timestamp.min
        var isBarShown = false
        /// The number of running runs at the last poll; `nil` before the first.
        var running: Int?
        /// The number of runs that have ended during the wait.
        var ended = 0
        var waitBegun: Timestamp?
        /// The ends of the announced waits, by reason: flows that wait for the same reason are announced once.
        var announced: [String: Timestamp] = [:]
    }

    private let names: [FlowID: String]
    private let format: Format<EventReport>
    private let output: OutputOptions
    private let state = Mutex(State())

    init(plan: Plan, format: Format<EventReport>, output: OutputOptions) {
        names = Dictionary(plan.flows.map { ($0.id, $0.name ?? $0.id.description) }) { first, _ in first }
        self.format = format
        self.output = output
    }

    func show(_ event: ApplyEvent) {
        let report = EventReport(event, at: SystemTime().now(), names: names)
        if format.chosen == .json {
            // JSON has no countdown: the event that began the wait contains its length.
            if case .stillWaiting = event { return }
            return output.show(report, format)
        }
        state.withLock { state in
            if case .waited(let running) = event { return wait(running, &state) }
            if case .stillWaiting(let flow, let left, let reason) = event {
                return countDown(flow, left: left, reason: reason, &state)
            }
            if case .waiting(_, let wait, let reason) = event {
                let now = SystemTime().now()
                if let end = state.announced[reason], now < end { return }
                state.announced[reason] = now + wait
            }
            if case .runEnded = event { state.ended += 1 }
            count(event, &state)
            let message = report.message(output.errorStyle)
            guard !output.quiet || message.isImportant else { return }
            let showsBar = Console.isErrorTerminal && !output.quiet
            if showsBar, state.isBarShown { Console.redraw("") }
            if !showsBar || message.isImportant { message.lines.forEach { Console.printNote($0) } }
            if showsBar, state.requests > 0, state.running == nil { drawBar(event, &state) }
        }
    }

    private func count(_ event: ApplyEvent, _ state: inout State) {
        switch event {
        case .started(_, let requests):
            state.requests = requests
            state.begun = SystemTime().now()
        case .accepted, .adopted: state.settled += 1
        case .removed(_, let count): state.settled += count
        case .rejected:
            state.settled += 1
            state.refused += 1
        default: break
        }
    }

    /// Shows how many runs are still running: in a line that is redrawn on a terminal, in a new line per change
    /// elsewhere.
    private func wait(_ running: Int, _ state: inout State) {
        guard !output.quiet, running > 0 else { return }
        let begun = state.waitBegun ?? SystemTime().now()
        state.waitBegun = begun
        let total = grouped(state.ended + running)
        let seconds = (SystemTime().now() - begun).wholeSeconds
        let counts = "\(grouped(state.ended)) of \(total) runs ended, \(grouped(running)) still running"
        let line = output.errorStyle.cutLine("waiting: \(counts), \(seconds / 60) min \(seconds % 60) s")
        if Console.isErrorTerminal {
            Console.redraw(line)
            state.isBarShown = true
        } else if running != state.running {
            Console.printNote(line)
        }
        state.running = running
    }

    /// Redraws the remaining time on a terminal. Elsewhere, the line that began the wait is enough.
    private func countDown(_ flow: FlowID, left: Duration, reason: String, _ state: inout State) {
        guard !output.quiet, Console.isErrorTerminal else { return }
        let name = names[flow] ?? flow.description
        Console.redraw(output.errorStyle.cutLine("\(name): waiting \(left.secondsRoundedUp) s: \(reason)"))
        state.isBarShown = true
    }

    private func drawBar(_ event: ApplyEvent, _ state: inout State) {
        if case .finished = event { return state.isBarShown = false }
        let bar = ProgressBar(
            done: state.settled, total: state.requests, failed: state.refused,
            elapsed: SystemTime().now() - state.begun)
        Console.redraw(bar.line(output.errorStyle))
        state.isBarShown = true
    }
}
