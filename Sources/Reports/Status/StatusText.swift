import FlowRuns

/// The terminal view of a status: one line per flow, the troubles by cause, each with its remedy, and a summary line.
struct StatusText {
    private let report: StatusReport
    private let style: TextStyle

    private static let groupLimit = 20
    private static let flowLimit = 10
    private static let remedyLimit = 3
    private static let narrowestState = 40

    init(_ report: StatusReport, _ style: TextStyle) {
        self.report = report
        self.style = style
    }

    var lines: [StyledText] {
        guard !report.flows.isEmpty else { return style.lines("No flow is declared for target '\(report.target)'.") }
        return header + flows(report.shownFlows) + .blank + troubles + closing
    }

    var closing: [StyledText] { style.lines(report.summary) }

    var header: [StyledText] {
        let sandbox = report.sandbox.map { "  \($0)" } ?? ""
        let refreshed = report.refreshText
        let place: StyledText = "\(style.paint(report.target, .strong))\(sandbox)"
        guard let width = style.width, place.columns + 2 + refreshed.columns <= width else {
            return style.width == nil ? ["\(place)  \(refreshed)"] : [place] + style.lines(refreshed, .quiet)
        }
        let gap = StyledText.spaces(width - place.columns - refreshed.columns)
        return ["\(place)\(gap)\(style.paint(refreshed, .quiet))"]
    }

    /// Formats one line for each flow.
    func flows(_ flows: [FlowStatus]) -> [StyledText] {
        guard !flows.isEmpty else { return style.lines("No flow has a problem.") }
        let (there, behind) = (7, max(8, (flows.map(\.behindText.columns).max() ?? 0) + 2))
        let room = style.width.map { max(8, $0 - 2 - there - behind - 2 - Self.narrowestState) } ?? .max
        let name = min(room, max(4, flows.map { $0.title.columns }.max() ?? 0))
        func row(_ mark: StyledText, _ cells: [StyledText], _ state: StyledText) -> StyledText {
            let padding = cells.enumerated().map { StyledText.spaces([name, there, behind][$0] - $1.columns) }
            let line: StyledText = "\(mark) \(cells[0])\(padding[0])\(padding[1])\(cells[1])\(padding[2])\(cells[2])"
            return state.isEmpty ? line : "\(line)  \(state)"
        }
        let titles = ["flow", "there", "behind"].map { style.paint($0, .strong) }
        let state = style.width.map { $0 - 2 - name - there - behind - 2 }
        return [row(" ", titles, style.paint("state", .strong))]
            + flows.map { flow in
                row(
                    flow.mark.painted(style),
                    ["\(flow.title.cutBetweenParts(to: name, style))", "\(flow.shareText)", "\(flow.behindText)"],
                    style.paint(fitted(flow, state), flow.mark.tone))
            }
    }

    /// Returns the flow's state within the columns: the cause loses words first, then the last counts go.
    private func fitted(_ flow: FlowStatus, _ columns: Int?) -> String {
        guard let columns, flow.stateText.columns > columns else { return flow.stateText }
        let (head, brief, others) = flow.phrases
        let rest = others.isEmpty ? "" : "; " + others.joined(separator: ", ")
        if columns - rest.columns >= brief.columns + 12 {
            return head.cutBetweenWords(to: columns - rest.columns, style) + rest
        }
        guard !others.isEmpty else { return head.cutBetweenWords(to: columns, style) }
        return ([brief] + others).joined(separator: ", ").cutBetweenWords(to: columns, style)
    }

    /// The troubles by cause: the flows with times and counts, then what ends the trouble.
    var troubles: [StyledText] {
        let groups = report.groups
        let lines = groups.prefix(Self.groupLimit).flatMap { self.lines(of: $0) + .blank }
        guard groups.count > Self.groupLimit else { return lines }
        let more = "\(style.ellipsis) and \(counted(groups.count - Self.groupLimit, "more cause"))"
        return lines + style.lines("\(more): \(report.arguments.command("status", "--format json"))") + .blank
    }

    private func lines(of group: TroubleGroup) -> [StyledText] {
        let mark = FlowStatus.Mark(group.kind)
        let first: StyledText = "\(mark.painted(style)) "
        var lines = style.lines(group.title, mark.tone, indent: 2, first: first)
        for (flow, trouble) in group.members.prefix(Self.flowLimit) {
            let head: StyledText = "    \(style.paint(flow.title, .strong))"
            let extent = trouble.extent(style.ellipsis)
            lines += extent.isEmpty ? [head] : style.nextToOrBelow(head, text: extent)
            if report.listsRuns {
                lines += trouble.runs.flatMap { style.lines($0.oneLine(style.ellipsis), .quiet, indent: 6) }
            } else if group.kind == .ingestedTooOften {
                let ids = trouble.runs.compactMap(\.id?.description)
                lines += style.lines("runs \(Array(ids.prefix(8)).listed)", .quiet, indent: 6)
            }
        }
        let rest = group.members.count - Self.flowLimit
        if rest > 0 { lines += style.lines("\(style.ellipsis) and \(counted(rest, "more flow"))", .quiet, indent: 4) }
        let remedies = group.remedies
        lines += remedies.prefix(Self.remedyLimit).flatMap { self.lines(of: $0.remedy, for: $0.flows, of: group) }
        guard remedies.count > Self.remedyLimit else { return lines }
        let next = remedies[Self.remedyLimit].flows[0]
        let more = counted(remedies.count - Self.remedyLimit, "more flow")
        let command = report.arguments.command("status", flow: next.id)
        return lines + style.lines("\(style.ellipsis) and for \(more), such as: \(command)", indent: 4)
    }

    private func lines(of remedy: Remedy, for flows: [FlowStatus], of group: TroubleGroup) -> [StyledText] {
        let isForAll = flows.count == group.members.count
        let names = isForAll || !remedy.lines.isEmpty ? "" : "\(flows.map(\.title).prefix(3).map(\.self).listed): "
        let command = remedy.command.map(report.arguments.command)
        let text = "\(names)\(remedy.text)\(command == nil ? "" : ":")"
        let first: StyledText = "    \(style.arrow) "
        // Commands and lines are meant to be pasted, so they are never wrapped.
        return style.lines(text, indent: 6, first: first) + (command.map { ["      \($0)"] } ?? [])
            + remedy.lines.map { "\($0)" }
    }
}

extension TextStyle {
    /// The sign before what ends a trouble.
    var arrow: String { unicode ? "→" : ">" }
}

extension TroubleGroup {
    /// The kind and the cause, such as `failed: CONNECTOR-1022-401`.
    var title: String {
        switch kind {
        case .paused, .overLimit: cause
        case .waiting: cause.hasPrefix("waits ") ? "waiting \(cause.dropFirst("waits ".count))" : cause
        case .tooFewRecords: "too few records: \(cause)"
        case .ingestedTooOften, .brokenRule, .failed, .unreadable, .refused, .inDoubt, .notCompared, .partial, .retry:
            "\(kind.inWords): \(cause)"
        }
    }
}

extension Trouble {
    /// The number of windows and the time that they cover, such as `3 windows, 2024-01-01T00:00:00Z … 2024-01-04T00:00:00Z`.
    func extent(_ ellipsis: String) -> String {
        if kind == .brokenRule { return "" }
        guard let span else { return counted(count, "run") }
        return "\(counted(windows.count, "window")), \(span.text(ellipsis))"
    }
}

extension RecordedRun {
    /// The window, the ID, the attempt and the time of a run.
    fileprivate func oneLine(_ ellipsis: String) -> String {
        let words = [
            window?.text(ellipsis) ?? "unknown window", id.map { "run \($0)" }, attemptText.isEmpty ? nil : attemptText,
            "requested \(recordedAt)", failure,
        ]
        return words.compactMap(\.self).joined(separator: ", ")
    }
}

extension CommandArguments {
    func command(_ command: Remedy.Command) -> String {
        self.command(command.name, command.options, flow: command.flow)
    }
}

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
