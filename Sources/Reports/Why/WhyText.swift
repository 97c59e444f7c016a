import FlowRuns
import Ledger
import Text

extension WhyReport: Report {
    package static let renderings: [Rendering<WhyReport>] = [
        .text { report, style in report.lines(style) },
        .json { report, json, _ in json.members(of: report) },
    ]
}

extension WhyReport {
    /// The maximum number of windows or ranges that are printed.
    private static let windowLimit = 40

    fileprivate func lines(_ style: TextStyle) -> [StyledText] {
        var lines: [StyledText] = []
        let head: StyledText = "\(flow.mark.painted(style)) \(style.paint(flow.title, .strong))"
        lines += style.nextToOrBelow(head, text: "\(flow.place.file):\(flow.place.line)")
        let state = flow.stateText.isEmpty ? "" : ", \(flow.stateText)"
        lines += style.lines("there: \(flow.shareText), behind: \(flow.behindText)\(state)", indent: 2) + .blank
        if let emptyText { lines += style.lines(emptyText) + .blank }
        for entry in unreadable {
            lines += style.lines("unknown window", .strong) + style.lines(runText(entry), indent: 2) + .blank
        }
        let ranges = ranges
        for range in ranges.prefix(Self.windowLimit) { lines += self.lines(range, style) + .blank }
        let rest = ranges.count - Self.windowLimit
        if rest > 0 {
            lines +=
                style.lines("\(style.ellipsis) and \(counted(rest, "more range")); name a time to see them") + .blank
        }
        for trouble in flow.troubles where trouble.kind != .brokenRule {
            guard let remedy = trouble.remedy, isShown(trouble) else { continue }
            let command = remedy.command.map(arguments.command)
            let text = "\(trouble.brief): \(remedy.text)\(command == nil ? "" : ":")"
            lines += style.lines(text, indent: 2, first: "\(style.arrow) ")
            lines += command.map { ["  \($0)"] } ?? []
            lines += remedy.lines.map { "\($0)" }
        }
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    private func isShown(_ trouble: Trouble) -> Bool {
        guard let range else { return true }
        return trouble.windows.isEmpty || trouble.windows.contains(where: range.overlaps)
    }

    /// Windows that share everything but their time, as one range.
    private struct ExplainedRange {
        var windows: FoldedWindows
        let first: ExplainedWindow
    }

    private var ranges: [ExplainedRange] {
        windows.reduce(into: []) { ranges, next in
            if let last = ranges.last, last.first.isPlain, next.isPlain, last.first.runs.count == next.runs.count,
                last.first.declarations == next.declarations, last.first.decision == next.decision,
                last.first.next == next.next, ranges[ranges.count - 1].windows.merge(FoldedWindows(next.window))
            {
                return
            }
            ranges.append(ExplainedRange(windows: FoldedWindows(next.window), first: next))
        }
    }

    private func lines(_ range: ExplainedRange, _ style: TextStyle) -> [StyledText] {
        let first = range.first
        let size = range.windows.sizeText
        var lines = style.lines("\(range.windows.rangeText(style.ellipsis)), \(size)", .strong)
        func add(_ title: String, _ text: String) {
            let head: StyledText = "  \(style.paint(title.padded(to: 11), .quiet))"
            lines += style.lines(text, indent: 13, first: head)
        }
        if first.declarations.isEmpty { add("declared", "nowhere") }
        for declaration in first.declarations { add("declared", declaration.inWords) }
        if first.runs.isEmpty { add("runs", "none") }
        if range.windows.count > 1, let run = first.runs.first {
            add("runs", "one for each window, \(run.run.state.inWords)")
        } else {
            for entry in first.runs { add("run", runText(entry)) }
        }
        add("decision", first.decision)
        add("next", first.next)
        return lines
    }

    /// Describes a run: its ID and state, who requested it and when, and from which line.
    private func runText(_ entry: LedgerEntry) -> String {
        let run = entry.run
        let attempt = run.attemptText.isEmpty ? nil : run.attemptText
        let who =
            run.origin == .service
            ? "found on the service, created \(run.recordedAt)"
            : [
                "requested \(run.recordedAt)", entry.provenance.text.isEmpty ? nil : "for \(entry.provenance.text)",
                entry.provenance.ciRun,
            ]
            .compactMap(\.self).joined(separator: " ")
        let id = run.id.map { "\($0) " } ?? ""
        let words = [
            attempt, who, run.flow == flow.id ? nil : "on flow \(run.flow), which this one replaces", run.failure,
        ]
        return "\(id)\(run.state.inWords), " + words.compactMap(\.self).joined(separator: ", ")
    }
}

extension JSONText {
    fileprivate mutating func members(of report: WhyReport) {
        member("formatVersion", 1)
        member("flowId", report.flow.id.description)
        optional("name", report.flow.name)
        time("asOf", report.asOf)
        if let range = report.range { member("range", range) }
        member("state", report.flow.mark.name)
        member("stateText", report.flow.stateText)
        optional("absence", report.emptyText)
        array("windows") { json in
            for window in report.windows {
                json.line { json in
                    json.member("window", window.window)
                    json.array("declared") { json in
                        for declaration in window.declarations {
                            json.element {
                                $0.member("text", declaration.inWords)
                                declaration.place.write("place", to: &$0)
                            }
                        }
                    }
                    json.array("runs") { json in for entry in window.runs { json.element { $0.members(of: entry) } } }
                    json.member("decision", window.decision)
                    json.member("next", window.next)
                }
            }
        }
        array("unreadableRuns") { json in for entry in report.unreadable { json.line { $0.members(of: entry) } } }
        array("troubles") { json in
            for trouble in report.flow.troubles {
                json.element { $0.members(of: trouble, report.flow, report.arguments) }
            }
        }
    }

    private mutating func members(of entry: LedgerEntry) {
        member("flowId", entry.run.flow.description)
        members(of: entry.run)
        declaration(of: entry)
    }
}
