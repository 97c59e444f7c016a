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
