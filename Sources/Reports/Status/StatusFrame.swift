import FlowRuns

extension StatusReport {
    /// Formats the status as one screen that is redrawn in place.
    ///
    /// Flows with runs that are running come first. Lines that do not fit are counted, and the summary comes last.
    ///
    /// - Parameters:
    ///   - style: The capabilities of the terminal.
    ///   - rows: The height of the terminal in lines.
    ///   - pause: The time until the next update.
    package func frame(_ style: TextStyle, rows: Int, pause: Duration) -> [StyledText] {
        let text = StatusText(self, style)
        let shown = shownFlows
        let closing =
            text.closing + style.lines("Next update in \(spanText(pause)); press Ctrl-C to stop.", .quiet)
        let lines =
            text.header
            + text.flows(shown.filter { $0.counts[.running] > 0 } + shown.filter { $0.counts[.running] == 0 }) + .blank
        let room = max(2, rows - closing.count - 1)
        guard lines.count > room else { return lines + closing }
        let rest = lines.count - room + 1
        return lines.prefix(room - 1) + style.lines("\(style.ellipsis) and \(counted(rest, "more line"))", .quiet)
            + closing
    }
}

extension [StyledText] {
    /// The bytes that draw the lines from the upper left corner over the previous screen.
    ///
    /// The rest of each line and of the screen is cleared, which avoids flicker. The terminal truncates a line that is
    /// too long.
    package var overdrawn: [UInt8] {
        [UInt8]("\u{1B}[?7l\u{1B}[H\(map { $0.line + "\u{1B}[K\n" }.joined())\u{1B}[J\u{1B}[?7h".utf8)
    }
}
