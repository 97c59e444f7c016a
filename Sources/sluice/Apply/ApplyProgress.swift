import Applier
import FlowRuns
import FlowService
import Foundation
import Manifests
import Planner
import Reports
import Synchronization

/// Shows an apply as it goes: a bar on a terminal, plain lines elsewhere, JSON Lines for machines.
final class ApplyProgress: Sendable {
    private struct State {
        var requests = 0
        var settled = 0
        var refused = 0
        var begun = Timestamp.min
        var isBarShown = false
        /// How many runs were under way at the last look; `nil` before the first.
        var running: Int?
    }

    private let names: [FlowID: String]
    private let format: ApplyCommand.Format
    private let output: OutputOptions
    private let state = Mutex(State())

    init(plan: Plan, format: ApplyCommand.Format, output: OutputOptions) {
        names = Dictionary(plan.flows.map { ($0.id, $0.name ?? $0.id.description) }) { first, _ in first }
        self.format = format
        self.output = output
    }

    func show(_ event: ApplyEvent) {
        if format == .json {
            if case .stillWaiting = event { return }
            Console.output(event.json(at: SystemTime().now()) + "\n")
            return
        }
        state.withLock { state in
            if case .waited(let running) = event { return wait(running, &state) }
            if case .stillWaiting(let flow, let left, let reason) = event {
                return countDown(flow, left, reason, &state)
            }
            count(event, &state)
            let line = words(for: event)
            guard !output.quiet || line?.isImportant == true else { return }
            let showsBar = Console.isErrorTerminal && !output.quiet
            if showsBar, state.isBarShown { Console.redraw("\r\u{1B}[K") }
            if let line, !showsBar || line.isImportant { Console.say(line.text) }
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

    /// A line that is redrawn on a terminal; elsewhere one for each look that found less.
    private func wait(_ running: Int, _ state: inout State) {
        guard !output.quiet, running > 0 else { return }
        let line = "waiting: \(counted(running, "run")) under way"
        if Console.isErrorTerminal {
            Console.redraw("\r\u{1B}[K" + line)
            state.isBarShown = true
        } else if running != state.running {
            Console.say(line)
        }
        state.running = running
    }

    /// Redrawn on a terminal every second; elsewhere the line that began the wait is enough.
    private func countDown(_ flow: FlowID, _ left: Duration, _ reason: String, _ state: inout State) {
        guard !output.quiet, Console.isErrorTerminal else { return }
        let line = "\(name(flow)): waiting \(left.secondsRoundedUp) s: \(reason)"
        Console.redraw("\r\u{1B}[K" + line.prefix(max(20, Console.width - 1)))
        state.isBarShown = true
    }

    private func drawBar(_ event: ApplyEvent, _ state: inout State) {
        if case .finished = event { return state.isBarShown = false }
        let bar = ProgressBar(
            done: state.settled, total: state.requests, failed: state.refused,
            elapsed: SystemTime().now() - state.begun)
        Console.redraw(bar.render(TextStyle(color: output.colorsErrors, width: Console.width)))
        state.isBarShown = true
    }

    private func words(for event: ApplyEvent) -> (text: String, isImportant: Bool)? {
        switch event {
        case .started(let flows, let requests): ("\(counted(requests, "request")) for \(counted(flows, "flow"))", false)
        case .contacted(let flow, let found):
            ("\(name(flow)): first contact, \(counted(found, "run")) on the service", false)
        case .removed(let flow, let count): ("\(name(flow)): \(counted(count, "request")) already run", true)
        case .accepted(let identity, let run): ("+ \(described(identity)): run \(run)", false)
        case .rejected(let identity, let reason): ("x \(described(identity)): refused: \(reason)", true)
        case .doubted(let identity, let reason): ("? \(described(identity)): in doubt: \(reason)", true)
        case .adopted(let identity, let run): ("= \(described(identity)): found on the service: run \(run)", true)
        case .released(let identity): ("- \(described(identity)): not taken, its window is free again", true)
        case .waiting(let flow, let wait, let reason):
            ("\(name(flow)): waiting \(wait.secondsRoundedUp) s: \(reason)", true)
        case .stillWaiting: nil
        case .noticed(_, let diagnostic):
            (text([diagnostic], sources: [], color: output.colorsErrors), true)
        case .ended(let outcome): outcome.words.map { ("\(name(outcome.flow)): \($0)", true) }
        case .finished(let outcome): (outcome.summary, true)
        case .waited: nil
        case .runEnded(let run):
            (
                "\(described(run.identity)): \(run.state.rawValue)\(run.failure.map { ": \($0)" } ?? "")",
                run.state != .succeeded
            )
        case .waitEnded(let outcome): (outcome.summary, true)
        }
    }

    private func name(_ flow: FlowID) -> String { names[flow] ?? flow.description }

    private func described(_ identity: RunIdentity) -> String {
        let window = identity.window.map { "\($0.start) … \($0.end)" } ?? "window unknown"
        let attempt = identity.attempt > 1 ? ", attempt \(identity.attempt)" : ""
        return "\(name(identity.flow)) \(window)\(identity.rerun.map { ", rerun \($0)" } ?? "")\(attempt)"
    }
}
