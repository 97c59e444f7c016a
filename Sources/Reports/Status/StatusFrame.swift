import FlowRuns

extension StatusReport {
    /// The status as one screen that is drawn over itself: the flows with runs under way first, as much as there is room
    /// for, and the sum.
    ///
    /// - Parameters:
    ///   - rows: of the terminal.
    ///   - pause: until the next look.
    package func frame(_ style: TextStyle, rows: Int, pause: Duration) -> [StyledText] {
        let busyFirst = flows.filter { $0.running > 0 } + flows.filter { $0.running == 0 }
        let report = StatusReport(target: target, asOf: asOf, flows: busyFirst, arguments: arguments)
        let closing =
            StatusText(report, style).closing
            + style.lines("Looks again in \(spanText(pause)); press Ctrl-C to stop.", .quiet)
        let lines = StatusText(report, style).details
        let room = max(2, rows - closing.count - 1)
        guard lines.count > room else { return lines + closing }
        let rest = lines.count - room + 1
        return lines.prefix(room - 1) + style.lines("\(style.ellipsis) and \(counted(rest, "more line"))", .quiet)
            + closing
    }
}

extension [StyledText] {
    /// Drawn from the upper left corner over what was there: what remains of each line and all below is cleared, so nothing
    /// flickers; a line that is too long is cut by the terminal.
    package var overdrawn: [UInt8] {
        [UInt8]("\u{1B}[?7l\u{1B}[H\(map { $0.line + "\u{1B}[K\n" }.joined())\u{1B}[J\u{1B}[?7h".utf8)
    }
}
