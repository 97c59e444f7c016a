import FlowRuns
import Text

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

extension JSONText {
    /// Writes the members of the report, with one flow per line.
    mutating func members(of report: StatusReport) {
        member("formatVersion", 2)
        member("target", report.target)
        time("asOf", report.asOf)
        time("refreshedAt", report.refreshedAt)
        member("needsPerson", report.needsPerson)
        member("anyFailed", report.anyFailed)
        if report.anyTooFewRecords { member("anyTooFewRecords", true) }
        member("there", report.share)
        array("flows") { json in
            for flow in report.shownFlows { json.line { $0.members(of: flow, report) } }
        }
    }

    private mutating func members(of flow: FlowStatus, _ report: StatusReport) {
        member("flowId", flow.id.description)
        optional("name", flow.name)
        member("state", flow.mark.name)
        member("stateText", flow.stateText)
        member("verified", flow.isVerified)
        member("there", flow.share)
        member("behindSeconds", flow.behind.wholeSeconds)
        for figure in StatusFigure.allCases { member(figure.rawValue, flow.counts[figure]) }
        if let window = flow.lastWindow { member("lastWindow", window) } else { null("lastWindow") }
        member("missingWindows", flow.missing)
        member("missingSeconds", flow.missingTime.wholeSeconds)
        time("refreshedAt", flow.refreshedAt)
        array("troubles") { json in
            for trouble in flow.troubles { json.element { $0.members(of: trouble, flow, report.arguments) } }
        }
        if !flow.repeated.isEmpty { array("ingestedTooOften") { for window in flow.repeated { $0.add(window) } } }
    }

    /// The maximum number of runs in one trouble.
    private static let runLimit = 20

    mutating func members(of trouble: Trouble, _ flow: FlowStatus, _ arguments: CommandArguments) {
        member("kind", trouble.kind.rawValue)
        member("needsPerson", trouble.kind.needsPerson)
        member("cause", trouble.cause)
        member("count", trouble.count)
        if let span = trouble.span { member("span", span) }
        if let remedy = trouble.remedy {
            object("remedy") {
                $0.member("text", remedy.text)
                $0.optional("command", remedy.command.map(arguments.command))
                guard !remedy.lines.isEmpty else { return }
                $0.member("file", flow.place.file)
                $0.member("lines", remedy.lines.joined(separator: "\n"))
            }
        }
        guard !trouble.runs.isEmpty else { return }
        array("runs") { json in
            for run in trouble.runs.prefix(Self.runLimit) {
                json.element {
                    $0.members(of: run)
                    if trouble.kind == .tooFewRecords {
                        $0.optional("records", run.records)
                        $0.optional("minimumRecords", flow.minimumRecords)
                    }
                }
            }
        }
    }

    private mutating func add(_ repeated: RepeatedWindow) {
        element { json in
            json.member("window", repeated.window)
            json.member("declaredRuns", repeated.declared)
            json.array("runs") { json in
                for run in repeated.runs { json.element { $0.members(of: run) } }
            }
        }
    }

    /// Writes a time in Unix seconds for machines and in UTC for people.
    mutating func time(_ key: String, _ time: Timestamp?) {
        if let time { member(key, time.seconds) } else { null(key) }
        if let time { member("\(key)UTC", time.description) }
    }

    private mutating func member(_ key: String, _ share: Share?) {
        if let share { member(key, share.value) } else { null(key) }
    }
}

extension StatusReport {
    /// The status as gauges for a metrics scraper, with the target and the flow as labels.
    var metrics: MetricsText {
        var metrics = MetricsText()
        metrics.gauge(
            "sluice_flow_windows", "Windows and reruns by what became of them.",
            flows.flatMap { flow in
                StatusFigure.allCases.map { figure in
                    (labels(of: flow) + [("state", figure.rawValue)], "\(flow.counts[figure])")
                }
            })
        metrics.gauge(
            "sluice_flow_there_ratio", "The share of due time that runs have succeeded for.", unit: "ratio",
            samples { $0.share.map { "\($0.value)" } })
        metrics.gauge(
            "sluice_flow_behind_seconds", "How much earlier the flow's latest data ends than the latest due window.",
            unit: "seconds", samples { "\($0.behind.wholeSeconds)" })
        metrics.gauge(
            "sluice_flow_missing_windows", "Due windows that were never requested.", samples { "\($0.missing)" })
        metrics.gauge(
            "sluice_flow_missing_seconds", "How long the due windows are together that were never requested.",
            unit: "seconds", samples { "\($0.missingTime.wholeSeconds)" })
        metrics.gauge(
            "sluice_flow_troubles", "Windows that are missing, incomplete or ingested too often, by kind and cause.",
            flows.flatMap { flow in
                flow.troubles.map { trouble in
                    let words = [
                        ("kind", trouble.kind.rawValue), ("cause", trouble.cause),
                        ("needs_person", "\(trouble.kind.needsPerson)"),
                    ]
                    return (labels(of: flow) + words, "\(trouble.count)")
                }
            })
        metrics.gauge(
            "sluice_flow_repeated_windows", "Windows that were run more often than declared.",
            samples { "\($0.repeated.count)" })
        metrics.gauge(
            "sluice_flow_last_window_end_timestamp_seconds", "The end of the last window that was ingested.",
            unit: "seconds", samples { $0.lastWindow.map { "\($0.end.seconds)" } })
        metrics.gauge(
            "sluice_flow_refreshed_timestamp_seconds", "When the flow was last compared with the service.",
            unit: "seconds", samples { $0.refreshedAt.map { "\($0.seconds)" } })
        return metrics
    }

    private func samples(
        _ value: (FlowStatus) -> String?
    ) -> [(labels: [(name: String, value: String)], value: String)] {
        flows.compactMap { flow in value(flow).map { (labels(of: flow), $0) } }
    }

    private func labels(of flow: FlowStatus) -> [(name: String, value: String)] {
        [("target", target), ("flow", flow.title), ("flow_id", flow.id.description)]
    }
}
