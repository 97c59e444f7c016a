import FlowRuns

/// A progress bar on one line: `━━━━───── 340/1,000  34%  4.8/s  2m 17s left`.
package struct ProgressBar: Hashable, Sendable {
    package var done: Int
    package var total: Int
    /// The number of failed items among those that are done.
    package var failed: Int
    /// The time since the start.
    package var elapsed: Duration

    package init(done: Int, total: Int, failed: Int = 0, elapsed: Duration) {
        self.done = done
        self.total = total
        self.failed = failed
        self.elapsed = elapsed
    }

    /// The number of items per second; `nil` before the first item is done.
    package var rate: Double? { done > 0 && elapsed > .zero ? Double(done) / (elapsed / .seconds(1)) : nil }

    /// The remaining time in whole seconds, rounded up; `nil` before the rate is known.
    package var timeLeft: Duration? {
        guard let rate, total >= done else { return nil }
        let seconds = (Double(total - done) / rate).rounded(.up)
        return seconds < 1e15 ? .seconds(Int64(seconds)) : nil
    }

    /// Formats the bar within the width of the style, by default 80 columns.
    package func line(_ style: TextStyle) -> StyledText {
        let fraction = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
        var words = ["\(grouped(done))/\(grouped(total))", "\(Int(fraction * 100))%"]
        if failed > 0 { words.append("\(grouped(failed)) failed") }
        if let rate { words.append(rate < 10 ? "\(Double(Int(rate * 10)) / 10)/s" : "\(grouped(Int(rate)))/s") }
        if let timeLeft, done < total { words.append("\(spanText(timeLeft)) left") }
        let text = words.joined(separator: "  ")

        let room = min(40, (style.width ?? 80) - text.columns - 3)
        guard room >= 6 else { return "\(text.cutAtEnd(to: style.width ?? 80, style))" }
        return "\(bar(fraction, width: room, style: style)) \(style.paint(text, failed > 0 ? .warning : .plain))"
    }

    private func bar(_ fraction: Double, width: Int, style: TextStyle) -> StyledText {
        let full = Int(fraction * Double(width))
        func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: max(0, count)) }
        guard style.unicode else {
            return
                "[\(repeated("=", full - 2) + (full > 1 ? ">" : ""))\(StyledText.spaces(width - 2 - max(0, full - 1)))]"
        }
        return "\(repeated("━", full))\(style.paint(repeated("─", width - full), .quiet))"
    }
}

/// Decides when the progress of a command that works through flows is shown: a bar on a terminal, elsewhere a line every
/// few seconds.
///
/// A command that ends within a second shows none.
package struct ProgressDisplay: Sendable {
    private let action: String
    /// Whether a terminal shows the progress, where a bar can be redrawn.
    private let isTerminal: Bool
    private var shownAt = Duration.zero
    /// The number of flows that are done.
    package private(set) var done = 0
    package private(set) var isBarShown = false

    /// Creates the display of a command that begins now.
    ///
    /// - Parameters:
    ///   - action: What happens to the flows, such as `read`.
    ///   - isTerminal: Whether a terminal shows the progress.
    package init(_ action: String, isTerminal: Bool) {
        self.action = action
        self.isTerminal = isTerminal
    }

    /// Counts flows as done, and returns the bar or the line to show; `nil` if the last one is recent.
    ///
    /// - Parameters:
    ///   - done: The number of flows that are done.
    ///   - total: The number of all flows.
    ///   - elapsed: The time since the command began.
    ///   - style: The capabilities of the terminal.
    package mutating func advance(
        to done: Int, of total: Int, elapsed: Duration, _ style: TextStyle
    ) -> StyledText? {
        self.done = done
        let pause: Duration = isTerminal ? isBarShown ? .milliseconds(100) : .seconds(1) : .seconds(5)
        guard done < total, elapsed - shownAt >= pause else { return nil }
        shownAt = elapsed
        isBarShown = isTerminal
        return isTerminal
            ? ProgressBar(done: done, total: total, elapsed: elapsed).line(style)
            : "\(grouped(done)) of \(counted(total, "flow")) \(action)"
    }

    /// Ends the progress, and returns whether there is a bar to clear.
    package mutating func end() -> Bool {
        defer { isBarShown = false }
        return isBarShown
    }
}
