import FlowRuns
import Text

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
