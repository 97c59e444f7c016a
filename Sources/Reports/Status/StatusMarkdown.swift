import FlowRuns

extension StatusReport {
    /// The status as a table, followed by the troubles by cause with their remedies.
    var markdown: MarkdownText {
        var text = BoundedMarkdown(limit: BoundedMarkdown.maxBytes - 400)
        text.add("### Status of \(code: target.prefix(200)) as of \(asOf)\n\n\(summary) \(refreshText)\n\n")
        let flows = shownFlows
        let rows = flows.lazy.map { flow in
            MarkdownText.row([
                "\(flow.mark.sign) \(code: flow.title)", "\(flow.shareText)", "\(flow.behindText)",
                "\(flow.stateText.prefix(400))",
            ])
        }
        let titles = ["Flow", "there", "behind", "state"]
        let rest = flows.count - text.add(rows, share: 40_000, head: .head(titles, numbersFrom: titles.count))
        if rest > 0 { text.add("\n_\(counted(rest, "flow")) left out for length._\n") }
        let groups = groups
        let left = groups.count - text.add(groups.lazy.map(problem), head: "\n")
        if left > 0 { text.add("\n_\(counted(left, "more cause")) left out for length._\n") }
        return text.text
    }

    private static let flowLimit = 10

    private func problem(_ group: TroubleGroup) -> MarkdownText {
        var text: MarkdownText = "- \(FlowStatus.Mark(group.kind).sign) \(group.title.prefix(600))\n"
        for (flow, trouble) in group.members.prefix(Self.flowLimit) {
            let extent = trouble.extent("…")
            text += "  - \(code: flow.title)\(extent.isEmpty ? "" : ": \(extent)")\n"
            guard listsRuns || group.kind == .ingestedTooOften else { continue }
            for run in trouble.runs.prefix(listsRuns ? 100 : 8) {
                text += "    - \(run.window?.text("…") ?? "unknown window") \(code: run.id?.description ?? "no ID")\n"
            }
        }
        let rest = group.members.count - Self.flowLimit
        if rest > 0 { text += "  - and \(counted(rest, "more flow"))\n" }
        for (remedy, _) in group.remedies.prefix(3) {
            let command: MarkdownText = remedy.command.map { ": \(code: arguments.command($0))" } ?? ""
            text += "\n  → \(remedy.text)\(command)\n"
            guard !remedy.lines.isEmpty else { continue }
            // The block is outside of the list item, so that the lines keep their indent when they are copied.
            text += "\n" + .block(remedy.lines, language: "yaml") + "\n"
        }
        return text
    }
}
