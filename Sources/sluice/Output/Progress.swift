import FlowRuns
import FlowService
import Reports
import Synchronization

/// The progress of a command that works through flows: a bar on a terminal, elsewhere a line every few seconds.
///
/// A command that ends within a second shows none.
final class Progress: Sendable {
    private struct State {
        var done = 0
        var shownAt: MonotonicInstant
        var isBarShown = false
    }

    private let action: String
    private let output: OutputOptions
    private let begun = SystemTime().monotonic()
    private let isTerminal = Console.isErrorTerminal
    private let state: Mutex<State>

    /// - Parameter action: What happens to the flows, such as `read`.
    init(_ action: String, output: OutputOptions) {
        self.action = action
        self.output = output
        state = Mutex(State(shownAt: SystemTime().monotonic()))
    }

    /// Counts a flow as done.
    func advance(of total: Int) { state.withLock { show($0.done + 1, of: total, &$0) } }

    func advance(to done: Int, of total: Int) { state.withLock { show(done, of: total, &$0) } }

    private func show(_ done: Int, of total: Int, _ state: inout State) {
        state.done = done
        let now = SystemTime().monotonic()
        let pause: Duration = isTerminal ? state.isBarShown ? .milliseconds(100) : .seconds(1) : .seconds(5)
        guard !output.quiet, done < total, now - state.shownAt >= pause else { return }
        state.shownAt = now
        guard isTerminal else {
            return Console.printNote("\(grouped(done)) of \(counted(total, "flow")) \(action)")
        }
        let bar = ProgressBar(done: done, total: total, elapsed: now - begun)
        Console.redraw(bar.line(output.errorStyle))
        state.isBarShown = true
    }

    /// Clears the bar.
    func end() {
        state.withLock { state in
            if state.isBarShown { Console.redraw("") }
            state.isBarShown = false
        }
    }
}
