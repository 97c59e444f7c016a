import FlowService
import Reports
import Synchronization

/// The progress of a command that works through flows, on standard error.
final class Progress: Sendable {
    private let output: OutputOptions
    private let begun = SystemTime().monotonic()
    private let display: Mutex<ProgressDisplay>

    /// - Parameters:
    ///   - action: What happens to the flows, such as `read`.
    ///   - output: The options of the command.
    init(_ action: String, output: OutputOptions) {
        self.output = output
        display = Mutex(ProgressDisplay(action, isTerminal: Console.isErrorTerminal))
    }

    /// Counts a flow as done.
    func advance(of total: Int) { display.withLock { show($0.done + 1, of: total, &$0) } }

    func advance(to done: Int, of total: Int) { display.withLock { show(done, of: total, &$0) } }

    private func show(_ done: Int, of total: Int, _ display: inout ProgressDisplay) {
        let elapsed = SystemTime().monotonic() - begun
        guard !output.quiet, let line = display.advance(to: done, of: total, elapsed: elapsed, output.errorStyle) else {
            return
        }
        if display.isBarShown { Console.redraw(line) } else { Console.printNote(line) }
    }

    /// Clears the bar.
    func end() {
        if display.withLock({ $0.end() }) { Console.redraw("") }
    }
}
